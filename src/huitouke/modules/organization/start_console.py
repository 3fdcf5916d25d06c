"""The console's routes of a new owner's way, of today, and of simple mode."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from huitouke.kernel.access.console import Me, me_of
from huitouke.kernel.context import Context
from huitouke.kernel.database import transaction
from huitouke.kernel.http import ConsoleContext, ConsolePerson, ConsoleTransaction, LoadedModules, requires
from huitouke.kernel.locales import has_text, translate
from huitouke.modules.organization.models import Onboarding
from huitouke.modules.organization.service import onboarding
from huitouke.modules.organization.service import today as today_service
from huitouke.modules.organization.service.industries import BY_KEY, INDUSTRIES, Industry
from huitouke.modules.organization.service.today import TodayLine, Tone

TODAY_PERMISSIONS: Final = ("conversations.view", "customers.view", "assistant.view", "organization.manage")
"""Any one of them has something to be told."""

router = APIRouter(prefix="/api", tags=["organization"])
_manage = requires("organization.manage")

FactKey = Annotated[str, StringConstraints(min_length=1, max_length=40)]
FactText = Annotated[str, StringConstraints(strip_whitespace=True, max_length=onboarding.MAX_FACT_CHARACTERS)]


class IndustryOut(BaseModel):
    """A kind of shop to choose."""

    key: str
    label: str
    hint: str
    icon: str


class FactOut(BaseModel):
    """Something the shop is asked about itself."""

    key: str
    label: str
    example: str
    value: str


class OnboardingOut(BaseModel):
    """How far the shop has come."""

    industry: str | None = Field(description="Key of the industry; null: not chosen yet.")
    industries: list[IndustryOut]
    facts: list[FactOut] = Field(description="Of the chosen industry; empty while none is.")
    facts_done: bool = Field(description="The page of facts was left, filled in or not.")
    chat_page: str | None = Field(description="Where customers write, without WeChat or WeCom; null: not open yet.")


class IndustryIn(BaseModel):
    """The industry that the shop is prepared for."""

    model_config = ConfigDict(extra="forbid")

    industry: FactKey


class FactsIn(BaseModel):
    """What the shop tells of itself, by the fact's key. What is left out stays, what is empty is taken away."""

    model_config = ConfigDict(extra="forbid")

    facts: Annotated[dict[FactKey, FactText], Field(max_length=20)]


class SimpleModeIn(BaseModel):
    """Whether the shop's people see the few pages that a new owner needs."""

    model_config = ConfigDict(extra="forbid")

    simple_mode: bool


class TodayLineOut(BaseModel):
    """A sentence and its button."""

    name: str
    text: str
    button: str
    path: str
    tone: Tone


class TodayOut(BaseModel):
    """The sentences of today, the most pressing first; at most 12."""

    lines: list[TodayLineOut]


@router.get("/onboarding", operation_id="organization_onboarding", dependencies=[_manage])
async def get_onboarding(ctx: ConsoleTransaction) -> OnboardingOut:
    """How far the shop has come, and what there is to choose and to tell."""
    return await _shown(ctx, await onboarding.onboarding(ctx))


@router.put("/onboarding/industry", operation_id="organization_choose_industry", dependencies=[_manage])
async def choose_industry(body: IndustryIn, ctx: ConsoleTransaction) -> OnboardingOut:
    """Prepares the shop for that industry; another one later adds to what is there."""
    return await _shown(ctx, await onboarding.choose_industry(ctx, body.industry))


@router.put("/onboarding/facts", operation_id="organization_tell_facts", dependencies=[_manage])
async def tell_facts(body: FactsIn, ctx: ConsoleTransaction) -> OnboardingOut:
    """Fills the facts into the answers, and opens the page on which customers write."""
    return await _shown(ctx, await onboarding.tell_facts(ctx, body.facts))


@router.put("/simple-mode", operation_id="organization_set_simple_mode", dependencies=[_manage])
async def set_simple_mode(
    body: SimpleModeIn, context: ConsoleContext, person: ConsolePerson, request: Request, modules: LoadedModules
) -> Me:
    """Changes the mode, and gives the menu as it is then."""
    async with transaction(context) as ctx:
        await onboarding.set_simple_mode(ctx, body.simple_mode)
    return await me_of(person, modules, request)


@router.get("/today", operation_id="organization_today", dependencies=[requires(*TODAY_PERMISSIONS)])
async def get_today(ctx: ConsoleTransaction) -> TodayOut:
    """What there is to do, or to be glad of."""
    return TodayOut(lines=[_line(line, ctx.locale) for line in await today_service.today(ctx)])


async def _shown(ctx: Context, row: Onboarding | None) -> OnboardingOut:
    industry = BY_KEY[row.industry] if row is not None and row.industry is not None else None
    return OnboardingOut(
        industry=industry.key if industry is not None else None,
        industries=[
            IndustryOut(
                key=each.key,
                label=translate(ctx.locale, f"industries.{each.key}"),
                hint=translate(ctx.locale, f"industries.{each.key}.hint"),
                icon=each.icon,
            )
            for each in INDUSTRIES
        ],
        facts=_facts(industry, row.facts, ctx.locale) if industry is not None and row is not None else [],
        facts_done=row is not None and row.facts_at is not None,
        chat_page=await onboarding.chat_page(ctx),
    )


def _facts(industry: Industry, told: Mapping[str, str], locale: str) -> list[FactOut]:
    return [
        FactOut(
            key=fact,
            label=translate(locale, f"facts.{fact}"),
            example=_example(locale, fact, industry.key),
            value=told.get(fact, ""),
        )
        for fact in industry.facts
    ]


def _example(locale: str, fact: str, industry: str) -> str:
    own = f"facts.{fact}.example.{industry}"
    return translate(locale, own if has_text(own) else f"facts.{fact}.example")


def _line(line: TodayLine, locale: str) -> TodayLineOut:
    key = f"today.{line.name}"
    one = f"{key}.one"
    said = one if line.figures.get("n") == 1 and has_text(one) else key
    return TodayLineOut(
        name=line.name,
        text=translate(locale, said, **line.figures),
        button=translate(locale, f"{key}.button"),
        path=line.path,
        tone=line.tone,
    )
