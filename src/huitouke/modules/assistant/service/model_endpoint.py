"""The tenant's model: where it stands, its key (sealed), and the test that says in plain words whether it works."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import select

from huitouke.kernel import audit, clock, plans
from huitouke.kernel.context import Context
from huitouke.kernel.database import connection, transaction
from huitouke.kernel.database.columns import columns_of
from huitouke.kernel.ids import new_id
from huitouke.kernel.keys import Secret, seal, sealed_column, unseal
from huitouke.kernel.locales import translate
from huitouke.kernel.processors import Processor
from huitouke.kernel.settings import get_settings
from huitouke.modules.assistant.model.addresses import parse_address, refuse_forbidden
from huitouke.modules.assistant.model.dialects import read_answer
from huitouke.modules.assistant.model.openai_compatible import OpenAiCompatible
from huitouke.modules.assistant.model.port import Completion, FailureKind, ModelFailure
from huitouke.modules.assistant.model.prompt import ANSWER_TOKENS, answer_prompt
from huitouke.modules.assistant.models import ModelEndpoint
from huitouke.modules.assistant.schemas import ModelIn, ModelOut, ModelTestIn, ModelTestOut
from huitouke.modules.assistant.service import problems

AI_TOKENS: Final = "ai_tokens"
"""The quota of what models read and write for the tenant in a month."""

DEFAULT_TIMEOUT_SECONDS: Final = 8.0
TEST_TIMEOUT_SECONDS: Final = 20.0
"""A first call may have to load the model."""

sealed_column("model_endpoints", "api_key_sealed")


_READ: Final = f"SELECT {columns_of(ModelEndpoint)} FROM model_endpoints WHERE tenant_id = $1 AND enabled"  # noqa: S608 - names from the model


@dataclass(frozen=True, slots=True)
class ReadyModel:
    """An enabled endpoint, ready to be asked, with the time it is given."""

    model: OpenAiCompatible
    timeout_seconds: float


async def endpoint(ctx: Context) -> ModelOut | None:
    """What is stored, without the key; None when no model is set up."""
    row = await ctx.session.scalar(select(ModelEndpoint))
    return _out(row) if row is not None else None


async def processor(ctx: Context) -> Sequence[Processor]:
    """Who runs the model that questions go to, while there is one."""
    address = await ctx.session.scalar(select(ModelEndpoint.base_url).where(ModelEndpoint.enabled))
    return [] if address is None else [Processor("model", urlsplit(address).hostname or address)]


async def save_endpoint(ctx: Context, wish: ModelIn) -> ModelOut:
    """Stores the endpoint. The key stays with its address: another address without a key has none.

    Raises:
        AddressRefused: the address is malformed or must not be called.
    """
    address = _checked(wish.base_url)
    row = await ctx.session.scalar(select(ModelEndpoint).with_for_update())
    if row is None:
        row = ModelEndpoint(id=new_id(), tenant_id=ctx.tenant_id, base_url=address, api_key_sealed=None)
        ctx.session.add(row)
    if wish.api_key is not None:
        key = Secret(wish.api_key)
        row.api_key_sealed = seal(ctx, "model_endpoints", "api_key_sealed", row.id, key) if wish.api_key else None
    elif _origin(row.base_url) != _origin(address):
        row.api_key_sealed = None
    row.base_url = address
    row.model = wish.model
    row.timeout_seconds = wish.timeout_seconds
    row.enabled = wish.enabled
    row.updated_at = clock.now()
    await ctx.session.flush()
    facts = {
        "base_url": address,
        "model": wish.model,
        "enabled": wish.enabled,
        "has_key": row.api_key_sealed is not None,
    }
    await audit.record(ctx, "assistant.model_changed", "model_endpoint", row.id, after=facts)
    return _out(row)


async def ready_model(ctx: Context) -> ReadyModel | None:
    """The tenant's model; None when there is none, it is switched off, or the month's tokens of the plan are used up.

    Without it the assistant answers in the knowledge's own words.
    """
    raw = await connection(ctx)  # asked for every turn
    found = await raw.fetchrow(_READ, ctx.tenant_id)
    if found is None or await plans.left(ctx, AI_TOKENS) == 0:
        return None
    row = ModelEndpoint(**found)
    return ReadyModel(OpenAiCompatible(row.base_url, row.model, _key(ctx, row)), row.timeout_seconds)


async def try_endpoint(context: Context, wish: ModelTestIn) -> ModelTestOut:
    """Asks the endpoint one question whose answer it is given, and says how that went. Nothing is stored.

    A stored key is sent to the stored address's host only.
    """
    async with transaction(context) as ctx:
        row = await ctx.session.scalar(select(ModelEndpoint))
        base_url = wish.base_url or (row.base_url if row else "")
        model = wish.model or (row.model if row else "")
        key = Secret(wish.api_key) if wish.api_key else None
        if row is not None and wish.api_key is None and _origin(base_url) == _origin(row.base_url):
            key = _key(ctx, row)
    if not base_url or not model:
        raise problems.NoModel
    started = time.monotonic()
    prompt = answer_prompt("小客", "friendly", [("你们几点开门？", "每天 9:30 开门。")], [], "几点开门")
    try:
        _checked(base_url)
        completion = await OpenAiCompatible(base_url, model, key).chat(
            prompt, max_tokens=ANSWER_TOKENS, timeout_seconds=wish.timeout_seconds or TEST_TIMEOUT_SECONDS
        )
    except (ModelFailure, problems.AddressRefused) as failure:
        return _failed(context, failure, started)
    return _judged(context, completion, started, row.timeout_seconds if row else DEFAULT_TIMEOUT_SECONDS)


def _failed(context: Context, failure: ModelFailure | problems.AddressRefused, started: float) -> ModelTestOut:
    kind = failure.kind if isinstance(failure, ModelFailure) else FailureKind.FORBIDDEN_ADDRESS
    detail = failure.detail if isinstance(failure, ModelFailure) else str(failure.params["reason"])
    message = translate(context.locale, f"model.{kind}", detail=detail)
    return ModelTestOut(ok=False, kind=kind, message=message, elapsed_ms=_elapsed(started), reply=None)


def _judged(context: Context, completion: Completion, started: float, budget_seconds: float) -> ModelTestOut:
    """Works; works but is slower than customers are made to wait; or talks past the question."""
    elapsed = _elapsed(started)
    answer = read_answer(completion.text)
    if not answer.can_answer or "9:30" not in answer.answer.replace("：", ":"):
        kind = "nonsense"
    elif elapsed > budget_seconds * 1000:
        kind = "late"
    else:
        kind = "ok"
    message = translate(context.locale, f"model.{kind}", seconds=f"{elapsed / 1000:.1f}", model=completion.model)
    reply = (answer.answer or completion.text)[:500]
    return ModelTestOut(ok=kind == "ok", kind=kind, message=message, elapsed_ms=elapsed, reply=reply)


def _checked(base_url: str) -> str:
    """The address without what it needn't have. A name is resolved and looked at again before each call."""
    try:
        address = parse_address(base_url)
        try:
            literal = ip_address(address.host)
        except ValueError:
            return address.base_url
        refuse_forbidden(literal, allow_private=get_settings().allow_private_endpoints)
    except ModelFailure as failure:
        raise problems.AddressRefused(field="base_url", reason=failure.detail) from failure
    return address.base_url


def _origin(base_url: str) -> tuple[str, str, int] | None:
    try:
        address = parse_address(base_url)
    except ModelFailure:
        return None
    return address.scheme, address.host, address.port


def _key(ctx: Context, row: ModelEndpoint) -> Secret | None:
    if row.api_key_sealed is None:
        return None
    return unseal(ctx, "model_endpoints", "api_key_sealed", row.id, row.api_key_sealed)


def _out(row: ModelEndpoint) -> ModelOut:
    return ModelOut(
        base_url=row.base_url,
        model=row.model,
        has_key=row.api_key_sealed is not None,
        timeout_seconds=row.timeout_seconds,
        enabled=row.enabled,
    )


def _elapsed(started: float) -> int:
    return int((time.monotonic() - started) * 1000)
