"""Is an app connected? Each step is tried live and answered in plain words, with what to do about it."""

import asyncio
from dataclasses import asdict
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import select, update

from huitouke.kernel import clock
from huitouke.kernel.callbacks import service as callbacks
from huitouke.kernel.context import Context
from huitouke.kernel.database import transaction
from huitouke.kernel.locales import translate
from huitouke.kernel.settings import get_settings
from huitouke.modules.organization.diagnosis import Check, CheckState, failed_check, mistake, named_check
from huitouke.modules.organization.diagnosis.address import Look, is_inside, look_at
from huitouke.modules.organization.diagnosis.mistakes import of_refusal
from huitouke.modules.organization.diagnosis.wecom_clock import TOLERATED, clock_difference
from huitouke.modules.organization.models import WecomApp, WecomDoor
from huitouke.modules.organization.service.clients import wecom_client, wecom_http
from huitouke.modules.organization.service.notifying import Holders, tell
from huitouke.modules.organization.service.notifying.kinds import APP_FAILING, APP_RESTORED
from huitouke.modules.organization.service.prerequisites import check_prerequisite
from huitouke.modules.organization.service.wecom_apps import wecom_app
from huitouke.wechat.agent import Agent, AgentClient
from huitouke.wechat.errors import IpNotTrusted, WecomError

__all__ = ["Check", "CheckState", "check_wecom_app", "failed_check"]

APP_ENTRY: Final = "wecom_app"
"""What this check says, the ledger of going live says too."""

SEEN_FROM_INSIDE: Final = frozenset({"private", "unknown", "unreachable"})
"""A network may know another way to its own address than the world does, or none."""


async def check_wecom_app(context: Context, app_id: UUID) -> list[Check]:
    """Tries the secret, the app, our address, and whether a callback ever arrived; keeps the outcome with the app.

    Opens transactions of its own around the calls. Raises NotFound.
    """
    async with transaction(context) as ctx:
        app = await wecom_app(ctx, app_id)
        endpoint = await callbacks.endpoint_of(ctx, app_id)
        heard = await callbacks.heard(ctx, app_id)
        has_door = await ctx.session.scalar(select(WecomDoor.code).where(WecomDoor.wecom_app_id == app_id)) is not None
    settings = get_settings()
    url = f"{settings.public_url}/callbacks/{endpoint.kind}/{endpoint.callback_id}"
    inside = is_inside(settings.wecom_base_url)
    calls, address, ahead = await asyncio.gather(
        _call_checks(context, app, has_door),
        look_at(url, inside=inside),
        clock_difference(wecom_http(), settings.wecom_base_url),
    )
    (checks, ips) = calls
    if ahead is not None and abs(ahead) > TOLERATED:
        minutes = {"minutes": str(round(ahead.total_seconds() / 60))}
        checks.append(named_check(context, "clock", mistake("clock"), minutes))
    checks.append(_address_check(context, address, called=bool(heard.accepted_at or heard.verified_at)))
    checks.append(_callback_check(context, heard))
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
                **ips,
            )
            .execution_options(synchronize_session=False)
        )
    await check_prerequisite(context, APP_ENTRY)
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


async def _call_checks(context: Context, app: WecomApp, has_door: bool) -> tuple[list[Check], dict[str, str | None]]:
    """The token first: without it nothing further can be known. Beside the checks, what is kept of our own address."""
    client = await wecom_client(context, app.id)
    agents = AgentClient(client)
    try:
        await agents.callback_ips()
    except IpNotTrusted as error:
        waiting = Check("app", "waiting", _text(context, "app.waiting"))
        return [_untrusted(context, app, error), waiting], {"refused_ip": error.ip or app.refused_ip}
    except WecomError as error:
        return [
            failed_check(context, "credentials", error),
            Check("app", "waiting", _text(context, "app.waiting")),
        ], {}
    trusted = {"trusted_ip": app.refused_ip, "refused_ip": None} if app.refused_ip is not None else {}
    credentials = Check("credentials", "ok", _text(context, "credentials.ok"))
    try:
        agent = await agents.get(int(app.agent_id))
    except WecomError as error:
        return [credentials, failed_check(context, "app", error)], trusted
    return [credentials, *_agent_checks(context, app, agent, has_door)], trusted


def _untrusted(context: Context, app: WecomApp, error: IpNotTrusted) -> Check:
    """Our address is not trusted (any more): told apart by the one that was."""
    if app.trusted_ip is None or error.ip is None or error.ip == app.trusted_ip:
        return failed_check(context, "credentials", error)
    known = {"ip": error.ip, "old_ip": app.trusted_ip}
    return named_check(context, "credentials", mistake("ip_changed"), known)


def _agent_checks(context: Context, app: WecomApp, agent: Agent, has_door: bool) -> list[Check]:
    name = agent.name or app.name
    if agent.close:
        return [named_check(context, "app", mistake("app_closed"), {"name": name})]
    if not (agent.visible_userids or agent.allow_partys.partyid or agent.allow_tags.tagid):
        return [named_check(context, "app", mistake("range_empty"), {"name": name})]
    found = [Check("app", "ok", _text(context, "app.ok", name=name))]
    host = urlsplit(get_settings().public_url).netloc
    if has_door and agent.redirect_domain and agent.redirect_domain != host:
        values = {"host": host, "other": agent.redirect_domain}
        found.append(named_check(context, "domain", mistake("trusted_domain"), values))
    return found


def _address_check(context: Context, look: Look, *, called: bool) -> Check:
    """Whom WeCom has called can be reached, whatever the way there looks like from inside."""
    if not look.found or (called and look.found in SEEN_FROM_INSIDE):
        return Check("address", "ok", _text(context, "address.ok"))
    return named_check(context, "address", mistake(look.found), look.values)


def _callback_check(context: Context, heard: callbacks.Heard) -> Check:
    if heard.refused_last and heard.refusal is not None:
        if (found := of_refusal(heard.refusal)) is not None:
            return named_check(context, "callback", found)
    elif heard.accepted_at is not None:
        return Check("callback", "ok", _text(context, "callback.ok"))
    elif heard.verified_at is not None:
        return Check(
            "callback", "waiting", _text(context, "callback.verified"), _text(context, "callback.verified.fix")
        )
    return Check("callback", "waiting", _text(context, "callback.waiting"), _text(context, "callback.waiting.fix"))


def _text(context: Context, key: str, **params: str) -> str:
    return translate(context.locale, f"organization.checks.{key}", **params)
