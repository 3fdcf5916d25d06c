"""The assistant itself: settings, pause, model, traces."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from fastapi import APIRouter

from huitouke.kernel.http import ConsoleContext, ConsoleTransaction, requires
from huitouke.kernel.paging import DEFAULT_LIMIT, Cursor, Limit, Page
from huitouke.modules.assistant import queries
from huitouke.modules.assistant.schemas import (
    ModelIn,
    ModelOut,
    ModelTestIn,
    ModelTestOut,
    PauseIn,
    SettingsIn,
    SettingsOut,
    TraceOut,
)
from huitouke.modules.assistant.service import (
    assistant_settings,
    change_settings,
    endpoint,
    pause_all,
    save_endpoint,
    try_endpoint,
)
from huitouke.modules.assistant.service.settings import settings_out

VIEW: Final = requires("assistant.view")
MANAGE: Final = requires("assistant.manage")

router = APIRouter(prefix="/api/assistant", tags=["assistant"])


@router.get("/settings", operation_id="assistant_get_settings", dependencies=[VIEW])
async def get_settings(ctx: ConsoleTransaction) -> SettingsOut:
    """How the assistant speaks and when it stands back."""
    return await settings_out(ctx, await assistant_settings(ctx))


@router.put("/settings", operation_id="assistant_change_settings", dependencies=[MANAGE])
async def put_settings(body: SettingsIn, ctx: ConsoleTransaction) -> SettingsOut:
    """Changes the settings; fields left out stay."""
    return await settings_out(ctx, await change_settings(ctx, body))


@router.post("/pause", operation_id="assistant_pause", dependencies=[MANAGE])
async def pause(body: PauseIn, ctx: ConsoleTransaction) -> SettingsOut:
    """Silences the assistant for all customers, or wakes it."""
    return await settings_out(ctx, await pause_all(ctx, body))


@router.get("/traces", operation_id="assistant_list_traces", dependencies=[VIEW])
async def list_traces(
    ctx: ConsoleTransaction, conversation_id: UUID | None = None, cursor: Cursor = None, limit: Limit = DEFAULT_LIMIT
) -> Page[TraceOut]:
    """Decisions of the assistant, newest first."""
    return await queries.traces(ctx, conversation_id, cursor, limit)


@router.get("/traces/{message_id}", operation_id="assistant_get_trace", dependencies=[VIEW])
async def get_trace(message_id: UUID, ctx: ConsoleTransaction) -> TraceOut:
    """Why that message of the assistant says what it says."""
    return await queries.trace_of_message(ctx, message_id)


@router.get("/model", operation_id="assistant_get_model", dependencies=[MANAGE])
async def get_model(ctx: ConsoleTransaction) -> ModelOut | None:
    """The model's endpoint without its key; null when none is set up."""
    return await endpoint(ctx)


@router.put("/model", operation_id="assistant_save_model", dependencies=[MANAGE])
async def put_model(body: ModelIn, ctx: ConsoleTransaction) -> ModelOut:
    """Stores the endpoint; without `api_key` the stored key stays, as long as the address's host does."""
    return await save_endpoint(ctx, body)


@router.post("/model/test", operation_id="assistant_test_model", dependencies=[MANAGE])
async def test_model(body: ModelTestIn, context: ConsoleContext) -> ModelTestOut:
    """Asks the endpoint one question and says in plain words how it went. Nothing is stored."""
    return await try_endpoint(context, body)
