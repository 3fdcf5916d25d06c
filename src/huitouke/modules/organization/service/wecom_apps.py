"""WeCom apps: entering them, changing them, and where WeCom calls us back."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from huitouke.kernel import audit, clock
from huitouke.kernel.callbacks import service as callbacks
from huitouke.kernel.context import Context
from huitouke.kernel.errors import NotFound
from huitouke.kernel.ids import new_id
from huitouke.kernel.keys import Secret, seal
from huitouke.modules.organization.models import WecomApp
from huitouke.modules.organization.service import problems
from huitouke.modules.organization.service.tokens import forget_token

CALLBACK_KIND: Final = "wecom"
MAX_APPS: Final = 50
MAX_NAME_CHARACTERS: Final = 40
MAX_SECRET_CHARACTERS: Final = 128

_CORP_ID = re.compile(r"w[wlt][0-9A-Za-z_-]{4,62}\Z")
_AGENT_ID = re.compile(r"[0-9]{1,12}\Z")


@dataclass(frozen=True, slots=True)
class NewWecomApp:
    """What WeCom's admin console shows of a self-built app."""

    name: str
    corp_id: str
    agent_id: str
    secret: Secret


@dataclass(frozen=True, slots=True)
class WecomAppChange:
    """What to change; None leaves it."""

    name: str | None = None
    agent_id: str | None = None
    secret: Secret | None = None
    corp_id: str | None = None


async def create_wecom_app(ctx: Context, new: NewWecomApp) -> WecomApp:
    """Enters an app, with its secret sealed, and makes the address that WeCom is to call.

    Raises WrongShape, WecomAppExists.
    """
    app_id = new_id()
    app = WecomApp(
        id=app_id,
        corp_id=_shape("corp_id", new.corp_id, _CORP_ID),
        agent_id=_shape("agent_id", new.agent_id, _AGENT_ID),
        name=_name(new.name),
        secret_sealed=sealed_secret(ctx, app_id, new.secret),
        state="new",
        created_at=clock.now(),
    )
    ctx.session.add(app)
    await _flush(ctx)
    endpoint = await callbacks.create_endpoint(ctx, CALLBACK_KIND, reference_id=app.id, receive_id=app.corp_id)
    app.callback_endpoint_id = endpoint.id
    await ctx.session.flush()
    await audit.record(ctx, "organization.wecom_app_added", "wecom_app", app.id, after=_facts(app))
    return app


async def update_wecom_app(ctx: Context, app_id: UUID, change: WecomAppChange) -> WecomApp:
    """Changes an app. A new secret drops the token that was fetched with the old one.

    Raises NotFound, WrongShape, WecomAppExists, CorpIdSettled.
    """
    app = await ctx.session.scalar(
        select(WecomApp).where(WecomApp.id == app_id, WecomApp.kind == "app").with_for_update()
    )
    if app is None:
        raise NotFound(kind="wecom_app")
    before = _facts(app)
    if change.name is not None:
        app.name = _name(change.name)
    if change.agent_id is not None:
        app.agent_id = _shape("agent_id", change.agent_id, _AGENT_ID)
        app.state = "new"
    if change.secret is not None:
        app.secret_sealed = sealed_secret(ctx, app.id, change.secret)
        app.state = "new"
        await forget_token(ctx, app.id)
    if change.corp_id is not None and change.corp_id.strip() != app.corp_id:
        await _correct_corp_id(ctx, app, change.corp_id)
    await _flush(ctx)
    after = {**_facts(app), "secret_changed": change.secret is not None}
    await audit.record(ctx, "organization.wecom_app_changed", "wecom_app", app.id, before=before, after=after)
    return app


async def delete_wecom_app(ctx: Context, app_id: UUID) -> None:
    """Takes an app away, with its secret, its token and the address that WeCom calls; WeCom itself is not told.

    Raises NotFound, WecomAppInUse.
    """
    app = await ctx.session.scalar(
        select(WecomApp).where(WecomApp.id == app_id, WecomApp.kind == "app").with_for_update()
    )
    if app is None:
        raise NotFound(kind="wecom_app")
    before = _facts(app)
    try:
        async with ctx.session.begin_nested():  # rows of other modules refer to it while they need it
            await ctx.session.delete(app)
            await ctx.session.flush()
    except IntegrityError as error:
        raise problems.WecomAppInUse from error
    await forget_token(ctx, app_id)
    await callbacks.delete_endpoints(ctx, app_id)
    await audit.record(ctx, "organization.wecom_app_deleted", "wecom_app", app_id, before=before)


async def wecom_app(ctx: Context, app_id: UUID) -> WecomApp:
    """The app of that id. Raises NotFound."""
    app = await ctx.session.scalar(select(WecomApp).where(WecomApp.id == app_id, WecomApp.kind == "app"))
    if app is None:
        raise NotFound(kind="wecom_app")
    return app


async def wecom_apps(ctx: Context) -> Sequence[WecomApp]:
    """All apps, oldest first."""
    found = select(WecomApp).where(WecomApp.kind == "app").order_by(WecomApp.id).limit(MAX_APPS)
    return (await ctx.session.scalars(found)).all()


async def _correct_corp_id(ctx: Context, app: WecomApp, corp_id: str) -> None:
    """For one that was mistyped. Once WeCom has called, customers are known under the corp, and it stays."""
    if await callbacks.last_accepted_at(ctx, app.id) is not None:
        raise problems.CorpIdSettled(field="corp_id")
    app.corp_id = _shape("corp_id", corp_id, _CORP_ID)
    app.state = "new"
    await forget_token(ctx, app.id)
    await callbacks.set_receive_id(ctx, (await callbacks.endpoint_of(ctx, app.id)).id, app.corp_id)


async def _flush(ctx: Context) -> None:
    try:
        async with ctx.session.begin_nested():
            await ctx.session.flush()
    except IntegrityError as error:
        raise problems.WecomAppExists(field="agent_id") from error


def _shape(field: str, value: str, pattern: re.Pattern[str]) -> str:
    cleaned = value.strip()
    if not pattern.match(cleaned):
        raise problems.WrongShape(field=field, reason=field)
    return cleaned


def sealed_secret(ctx: Context, app_id: UUID, secret: Secret) -> str:
    """The secret as it is kept. Raises WrongShape."""
    cleaned = secret.reveal().strip()
    if not cleaned or len(cleaned) > MAX_SECRET_CHARACTERS or not cleaned.isascii():
        raise problems.WrongShape(field="secret", reason="secret")
    return seal(ctx, "wecom_apps", "secret_sealed", app_id, Secret(cleaned))


def _name(name: str) -> str:
    cleaned = " ".join(name.split())
    if not cleaned or len(cleaned) > MAX_NAME_CHARACTERS:
        raise problems.WrongShape(field="name", reason="name", maximum=MAX_NAME_CHARACTERS)
    return cleaned


def _facts(app: WecomApp) -> dict[str, object]:
    return {"name": app.name, "corp_id": app.corp_id, "agent_id": app.agent_id}
