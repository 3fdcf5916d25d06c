"""How a connection is, in plain words."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import func, select

from huitouke.kernel import clock
from huitouke.kernel.callbacks import health
from huitouke.kernel.callbacks import service as callbacks
from huitouke.kernel.context import Context
from huitouke.kernel.locales import translate
from huitouke.modules.organization.diagnosis.mistakes import of_error, of_refusal
from huitouke.modules.organization.models import CallFailure
from huitouke.modules.organization.schemas import CameOut, HealthOut
from huitouke.modules.organization.service.wecom_apps import CALLBACK_KIND
from huitouke.wechat.errors import TransportReason, WecomError, error_for

LATELY: Final = timedelta(hours=24)
MAX_FAILURES: Final = 50


async def health_of(ctx: Context, app_id: UUID) -> HealthOut:
    """What came, what was refused, which calls failed, and what waits."""
    heard = await callbacks.heard(ctx, app_id)
    events = await health.came_since(ctx, app_id, clock.now() - LATELY)
    return HealthOut(
        last_callback_at=heard.accepted_at,
        verified_at=heard.verified_at,
        events=[CameOut(name=one.name, count=one.count, last_at=one.last_at, message="") for one in events],
        refused=[_refusal(ctx, one) for one in await health.refused(ctx, app_id)],
        calls=[_failure(ctx, row) for row in await _failures(ctx, app_id)],
        failed_work=len(await health.failed_work(ctx, CALLBACK_KIND, app_id)),
    )


async def _failures(ctx: Context, app_id: UUID) -> Sequence[tuple[str, str, int, object]]:
    rows = await ctx.session.execute(
        select(CallFailure.path, CallFailure.code, func.sum(CallFailure.count), func.max(CallFailure.last_at))
        .where(CallFailure.tenant_id == ctx.tenant_id, CallFailure.wecom_app_id == app_id)
        .group_by(CallFailure.path, CallFailure.code)
        .order_by(func.max(CallFailure.last_at).desc())
        .limit(MAX_FAILURES)
    )
    return [(row[0], row[1], row[2], row[3]) for row in rows]


def _refusal(ctx: Context, one: health.Came) -> CameOut:
    found = of_refusal(one.name)
    message, fix = _words(ctx, found.key) if found else (one.name, "")
    return CameOut(name=one.name, count=one.count, last_at=one.last_at, message=message, fix=fix)


def _failure(ctx: Context, row: tuple[str, str, int, object]) -> CameOut:
    path, code, count, last_at = row
    error = _error(path, code)
    found = of_error(error)
    # Sentences that name a person or an address are the live check's, which knows whom and which.
    message, fix = _words(ctx, found.key) if found else (error.explain(ctx.locale), "")
    if "{" in message or "{" in fix:
        message, fix = error.explain(ctx.locale), ""
    return CameOut.model_validate(
        {"name": f"{path} · {code}", "count": count, "last_at": last_at, "message": message, "fix": fix}
    )


def _error(path: str, code: str) -> WecomError:
    if code.lstrip("-").isdecimal():
        return error_for(int(code), "", path)
    known = code in {reason.value for reason in TransportReason}
    return WecomError(None, "", path, reason=TransportReason(code) if known else TransportReason.BROKEN)


def _words(ctx: Context, key: str) -> tuple[str, str]:
    place = f"organization.mistakes.{key}"
    return translate(ctx.locale, place), translate(ctx.locale, f"{place}.fix")
