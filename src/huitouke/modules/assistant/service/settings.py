"""How the assistant of a tenant speaks and when it stands back; and the button that silences it for everybody."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from huitouke.kernel import audit, clock
from huitouke.kernel.context import ActorKind, Context
from huitouke.kernel.database import connection
from huitouke.kernel.database.columns import columns_of
from huitouke.kernel.realtime import hint
from huitouke.modules.assistant.models import AssistantSettings
from huitouke.modules.assistant.schemas import PauseIn, SettingsIn, SettingsOut
from huitouke.modules.organization.service import staff_names

DEFAULTS: Final[dict[str, Any]] = {
    "name": "小客",
    "ai_label": "【AI 助手】",
    "tone": "friendly",
    "handover_words": ["人工", "转人工", "找客服", "真人", "投诉", "找老板", "找店长", "human", "real person"],
    "unsure_text": "这个问题我手头没有准确的资料，不敢乱说，已经请同事来看，同事会在这里回复您。",
    "handover_text": "好的，已经为您转给同事，请稍等一下，同事看到后会马上回复您。",
    "media_text": "我现在还看不了图片、语音和文件。请用文字告诉我您想问什么；想让同事看，回复「人工」就可以。",
    "hand_over_when_unsure": False,
    "hand_over_media": False,
    "failed_turns_limit": 2,
    "paused": False,
    "paused_until": None,
    "paused_by": None,
    "version": 1,
}
"""What a tenant has that changed nothing. The label is lawful as it stands: a sign before each text (GB 45438-2025)."""

_READ: Final = f"SELECT {columns_of(AssistantSettings)} FROM assistant_settings WHERE tenant_id = $1"  # noqa: S608 - names from the model


async def assistant_settings(ctx: Context) -> AssistantSettings:
    """The tenant's settings; the defaults, not stored, where nothing was changed."""
    raw = await connection(ctx)  # read for every turn: an eighth of what the mapper takes
    row = await raw.fetchrow(_READ, ctx.tenant_id)
    return AssistantSettings(**(row or {"tenant_id": ctx.tenant_id, "updated_at": clock.now(), **DEFAULTS}))


async def change_settings(ctx: Context, change: SettingsIn) -> AssistantSettings:
    """Changes the settings; fields left out stay. The label can be worded otherwise, never be empty."""
    row = await _stored(ctx)
    new = change.model_dump(exclude_unset=True, exclude_none=True)
    before = {name: getattr(row, name) for name in new}
    for name, value in new.items():
        setattr(row, name, value)
    row.version += 1
    row.updated_at = clock.now()
    await audit.record(ctx, "assistant.settings_changed", "assistant_settings", ctx.tenant_id, before=before, after=new)
    return row


async def pause_all(ctx: Context, pause: PauseIn) -> AssistantSettings:
    """Silences the assistant for all customers, for so many minutes or until told; or wakes it."""
    row = await _stored(ctx)
    row.paused = pause.paused
    ends = pause.paused and pause.minutes is not None
    row.paused_until = clock.now() + timedelta(minutes=pause.minutes or 0) if ends else None
    row.paused_by = ctx.actor.id if pause.paused and ctx.actor.kind is ActorKind.STAFF else None
    row.version += 1
    row.updated_at = clock.now()
    await audit.record(
        ctx,
        "assistant.paused" if pause.paused else "assistant.woken",
        "assistant_settings",
        ctx.tenant_id,
        after={"minutes": pause.minutes},
    )
    hint(ctx, "assistant")
    return row


def is_paused(row: AssistantSettings) -> bool:
    """Whether the assistant keeps silent now."""
    return row.paused and (row.paused_until is None or row.paused_until > clock.now())


async def settings_out(ctx: Context, row: AssistantSettings) -> SettingsOut:
    """As the API shows them; a pause that is over is none."""
    paused = is_paused(row)
    names = await staff_names(ctx, [row.paused_by]) if paused and row.paused_by else {}
    return SettingsOut(
        name=row.name,
        ai_label=row.ai_label,
        tone=row.tone,
        handover_words=row.handover_words,
        unsure_text=row.unsure_text,
        handover_text=row.handover_text,
        media_text=row.media_text,
        hand_over_when_unsure=row.hand_over_when_unsure,
        hand_over_media=row.hand_over_media,
        failed_turns_limit=row.failed_turns_limit,
        paused=paused,
        paused_until=row.paused_until if paused else None,
        paused_by=names.get(row.paused_by) if row.paused_by else None,
    )


async def _stored(ctx: Context) -> AssistantSettings:
    """The row, made when it is missing, locked until the transaction ends."""
    values = {"tenant_id": ctx.tenant_id, "updated_at": clock.now(), **DEFAULTS}
    await ctx.session.execute(insert(AssistantSettings).values(values).on_conflict_do_nothing())
    row = await ctx.session.scalar(select(AssistantSettings).with_for_update())
    assert row is not None, "it was just made"
    return row
