"""The way of a new owner to the first answered customer: industry, facts, and a page on which customers write."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from huitouke.kernel import audit, clock
from huitouke.kernel.context import DEFAULT_LOCALE, Context
from huitouke.kernel.errors import InvalidInput
from huitouke.kernel.locales import translate
from huitouke.kernel.modules import load_modules
from huitouke.kernel.plans.standing import forget_standing
from huitouke.kernel.tenancy import Tenant
from huitouke.modules.organization.models import Onboarding
from huitouke.modules.organization.service.industries import BY_KEY, CHAT_DOORS, INDUSTRY_PARTS, ChatDoor, Shop

MAX_FACT_CHARACTERS: Final = 120
"""A sentence, not an essay: facts stand in the middle of answers, which hold some 600 characters."""

_BLANK_MARKS: Final = re.compile("[【】{}]")
"""What marks blanks in templates can't be part of a fact."""


async def onboarding(ctx: Context) -> Onboarding | None:
    """How far the shop has come; None where nobody has begun."""
    return await ctx.session.scalar(select(Onboarding))


async def choose_industry(ctx: Context, industry: str) -> Onboarding:
    """Prepares the shop for that industry. Another one later adds to what is there.

    Raises InvalidInput (there is no such industry).
    """
    if industry not in BY_KEY:
        raise InvalidInput(field="industry", reason="unknown_industry")
    row = await _locked(ctx)
    if row.industry != industry:
        before, row.industry = row.industry, industry
        row.updated_at = clock.now()
        had = {"industry": before} if before else None
        chosen = {"industry": industry}
        await audit.record(ctx, "organization.industry_chosen", "tenant", ctx.tenant_id, had, chosen)
    await _prepare(ctx, row, industry)
    return row


async def tell_facts(ctx: Context, told: Mapping[str, str]) -> Onboarding:
    """Fills the shop's facts into what was prepared, and opens the page on which customers write.

    Facts left out stay, empty ones are taken away.

    Raises InvalidInput (no industry yet, an unknown fact, one too long).
    """
    row = await _locked(ctx)
    if row.industry is None:
        raise InvalidInput(field="industry", reason="missing")
    asked = BY_KEY[row.industry].facts
    cleaned = {key: " ".join(_BLANK_MARKS.sub(" ", value).split()) for key, value in told.items()}
    for key, value in cleaned.items():
        if key not in asked:
            raise InvalidInput(field="facts", reason="unknown_fact")
        if len(value) > MAX_FACT_CHARACTERS:
            raise InvalidInput(field=f"facts.{key}", reason="length", maximum=MAX_FACT_CHARACTERS)
    had, facts = row.facts, {key: value for key, value in {**row.facts, **cleaned}.items() if value}
    now = clock.now()
    if facts != had:
        row.facts = facts
        before, after = {"facts": _in_words(had)}, {"facts": _in_words(facts)}
        await audit.record(ctx, "organization.facts_told", "tenant", ctx.tenant_id, before=before, after=after)
    row.facts_at = row.facts_at or now
    row.updated_at = now
    shop = await _prepare(ctx, row, row.industry)
    for door in _doors()[:1]:
        await door.open(ctx, shop)
    return row


async def chat_page(ctx: Context) -> str | None:
    """The address of the page on which customers write; None where there is none (yet)."""
    for door in _doors()[:1]:
        return await door.look(ctx)
    return None


async def set_simple_mode(ctx: Context, simple: bool) -> None:
    """Whether the tenant's people see the few pages that a new owner needs, from their next page on."""
    changed = await ctx.session.scalar(
        update(Tenant)
        .where(Tenant.id == ctx.tenant_id, Tenant.simple_mode != simple)
        .values(simple_mode=simple)
        .returning(Tenant.id)
    )
    if changed is not None:
        await audit.record(
            ctx,
            "organization.simple_mode",
            "tenant",
            ctx.tenant_id,
            {"simple_mode": not simple},
            {"simple_mode": simple},
        )
    tenant_id = ctx.tenant_id
    ctx.after_commit(lambda: forget_standing(tenant_id))


def _in_words(facts: Mapping[str, str]) -> list[str]:
    """For the log, which people read who know no keys."""
    return [f"{translate(DEFAULT_LOCALE, f'facts.{key}')}：{value}" for key, value in facts.items()]


async def _prepare(ctx: Context, row: Onboarding, industry: str) -> Shop:
    await ctx.session.flush()
    name = await ctx.session.scalar(select(Tenant.name).where(Tenant.id == ctx.tenant_id)) or ""
    shop = Shop(name, industry, {key: row.facts[key] for key in BY_KEY[industry].facts if key in row.facts})
    for part in load_modules().extensions(INDUSTRY_PARTS):
        await part(ctx, shop)
    return shop


def _doors() -> list[ChatDoor]:
    return load_modules().extensions(CHAT_DOORS)


async def _locked(ctx: Context) -> Onboarding:
    """The row, made where it is missing, locked until the transaction ends."""
    now = clock.now()
    values = {"tenant_id": ctx.tenant_id, "facts": {}, "started_at": now, "updated_at": now}
    await ctx.session.execute(insert(Onboarding).values(values).on_conflict_do_nothing())
    row = await ctx.session.scalar(select(Onboarding).with_for_update().execution_options(populate_existing=True))
    assert row is not None, "it was just made"
    return row
