"""Is an app connected? Each step is tried live and answered in plain words, with what to do about it."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from sqlalchemy import update

from huitouke.kernel import clock
from huitouke.kernel.callbacks import service as callbacks
from huitouke.kernel.context import Context
from huitouke.kernel.database import transaction
from huitouke.kernel.locales import translate
from huitouke.modules.organization.models import WecomApp
from huitouke.modules.organization.service.clients import wecom_client
from huitouke.modules.organization.service.notifying import Holders, tell
from huitouke.modules.organization.service.notifying.kinds import APP_FAILING, APP_RESTORED
from huitouke.modules.organization.service.wecom_apps import wecom_app
from huitouke.wechat.agent import AgentClient
from huitouke.wechat.errors import WecomError

CheckState = Literal["ok", "failed", "waiting", "optional"]
"""`optional`: not there, and not needed as things are set."""

STEPS: Final = ("credentials", "app", "callback")


@dataclass(frozen=True, slots=True)
class Check:
    """One step: `message` says what was found, `fix` what to do about it (empty when nothing)."""

    name: str
    state: CheckState
    message: str
    fix: str = ""


async def check_wecom_app(context: Context, app_id: UUID) -> list[Check]:
    """Tries the secret, the app, and whether a callback ever arrived; keeps the outcome with the app.

    Opens transactions of its own around the calls. Raises NotFound.
    """
    async with transaction(context) as ctx:
        app = await wecom_app(ctx, app_id)
        last = await callbacks.last_accepted_at(ctx, app_id)
    checks = [*await _call_checks(context, app), _callback_check(context, last)]
    failed = any(check.state == "failed" for check in checks)
    async with transaction(context) as ctx:
        await _tell(ctx, app, "failing" if failed else "verified")
        await ctx.session.execute(
            update(WecomApp)
            .where(WecomApp.id == app_id)
            .values(
                state="failing" if failed else "verified",
                last_checked_at=clock.now(),
                last_check=[asdict(check) for check in checks],
            )
            .execution_options(synchronize_session=False)
        )
    return checks


async def _tell(ctx: Context, app: WecomApp, state: str) -> None:
    """Tells who manages apps when one begins to fail, or works again; at most once an hour each."""
    if state == app.state or "failing" not in (state, app.state):
        return
    kind = APP_FAILING if state == "failing" else APP_RESTORED
    await tell(
        ctx,
        kind,
        Holders("organization.manage", but=ctx.actor.id),
        dedupe_key=f"{kind.name}:{app.id}:{clock.now():%Y%m%d%H}",
        args={"app": app.name},
        link=f"/settings/channels/apps/{app.id}",
    )


async def _call_checks(context: Context, app: WecomApp) -> list[Check]:
    """The token first: without it nothing further can be known."""
    client = await wecom_client(context, app.id)
    agents = AgentClient(client)
    try:
        await agents.callback_ips()
    except WecomError as error:
        return [
            failed_check(context, "credentials", error),
            Check("app", "waiting", translate(context.locale, "organization.checks.app.waiting")),
        ]
    credentials = Check("credentials", "ok", translate(context.locale, "organization.checks.credentials.ok"))
    try:
        agent = await agents.get(int(app.agent_id))
    except WecomError as error:
        return [credentials, failed_check(context, "app", error)]
    if agent.close:
        return [
            credentials,
            Check(
                "app",
                "failed",
                translate(context.locale, "organization.checks.app.disabled", name=agent.name),
                translate(context.locale, "organization.checks.app.disabled.fix"),
            ),
        ]
    found = translate(context.locale, "organization.checks.app.ok", name=agent.name or app.name)
    return [credentials, Check("app", "ok", found)]


def failed_check(context: Context, name: str, error: WecomError) -> Check:
    """A step that WeCom refused: the code's own sentence says what happened and what to do."""
    return Check(
        name,
        "failed",
        translate(context.locale, "organization.checks.refused", code=error.errcode or error.reason or ""),
        error.explain(context.locale),
    )


def _callback_check(context: Context, last: datetime | None) -> Check:
    if last is None:
        return Check(
            "callback",
            "waiting",
            translate(context.locale, "organization.checks.callback.waiting"),
            translate(context.locale, "organization.checks.callback.waiting.fix"),
        )
    return Check("callback", "ok", translate(context.locale, "organization.checks.callback.ok"))
