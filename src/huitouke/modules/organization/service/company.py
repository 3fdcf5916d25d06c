"""The company behind the shop: what stands on its licence and where it is reached, and what WeCom lets it do."""

import re
from dataclasses import asdict, dataclass, fields
from typing import Final, Literal

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from huitouke.kernel import audit, clock
from huitouke.kernel.callbacks import service as callbacks
from huitouke.kernel.context import Context
from huitouke.kernel.errors import InvalidInput
from huitouke.modules.organization.models import CompanyProfile, PrerequisiteState, WecomApp, WecomDoor

MAX_CHARACTERS: Final = 200
_LICENCE: Final = re.compile(r"[0-9A-HJ-NPQRTUWXY]{18}\Z")
"""统一社会信用代码, GB 32100-2015: 18 characters without I, O, S, V, Z."""

AbilityState = Literal["granted", "failing", "missing"]


@dataclass(frozen=True, slots=True)
class Company:
    """Basic data; empty where nobody has entered them."""

    name: str = ""
    licence_number: str = ""
    address: str = ""
    contact_name: str = ""
    contact_phone: str = ""
    industry: str = ""


@dataclass(frozen=True, slots=True)
class Ability:
    """Something that WeCom has to grant; texts `organization.ability.<name>`."""

    name: str
    state: AbilityState


async def company(ctx: Context) -> Company:
    """The company's data."""
    row = await ctx.session.scalar(select(CompanyProfile))
    return Company() if row is None else Company(**{one.name: getattr(row, one.name) for one in fields(Company)})


async def change_company(ctx: Context, wanted: Company) -> Company:
    """Writes the company's data. Raises InvalidInput for a number that is no licence's, and for what is too long."""
    cleaned = Company(**{key: " ".join(value.split()) for key, value in asdict(wanted).items()})
    for key, value in asdict(cleaned).items():
        if len(value) > MAX_CHARACTERS or not value.isprintable():
            raise InvalidInput(field=key, reason=key)
    if cleaned.licence_number and not _LICENCE.match(cleaned.licence_number.upper()):
        raise InvalidInput(field="licence_number", reason="licence_number")
    before = await company(ctx)
    if cleaned == before:
        return before
    row = {**asdict(cleaned), "licence_number": cleaned.licence_number.upper(), "updated_at": clock.now()}
    statement = insert(CompanyProfile).values(tenant_id=ctx.tenant_id, **row)
    await ctx.session.execute(statement.on_conflict_do_update(index_elements=["tenant_id"], set_=row))
    await audit.record(
        ctx, "organization.company_changed", "company", ctx.tenant_id, before=asdict(before), after=asdict(cleaned)
    )
    return await company(ctx)


async def abilities(ctx: Context) -> list[Ability]:
    """What WeCom grants as far as one can tell here: by the last checks, callbacks, and what is connected."""
    apps = (
        await ctx.session.execute(select(WecomApp.id, WecomApp.kind, WecomApp.state).order_by(WecomApp.id).limit(100))
    ).all()
    own = [row for row in apps if row.kind == "app"]
    called = [await callbacks.heard(ctx, row.id) for row in own[:1]]
    doors = await ctx.session.scalar(
        select(func.count()).select_from(WecomDoor).where(WecomDoor.tenant_id == ctx.tenant_id)
    )
    done = set(await ctx.session.scalars(select(PrerequisiteState.name).where(PrerequisiteState.state == "done")))
    states = {row.state for row in own}
    return [
        Ability("app", "granted" if "verified" in states else "failing" if "failing" in states else "missing"),
        Ability("callbacks", _given(any(one.accepted_at or one.verified_at for one in called))),
        Ability("kf", _given("kf_managed" in done)),
        Ability("contacts", _given(any(row.kind == "contacts" for row in apps))),
        Ability("sign_in", _given(bool(doors))),
        Ability("verified", _given("wecom_verified" in done)),
    ]


async def corps(ctx: Context) -> dict[str, list[str]]:
    """The corp ids that apps were entered for, each with the names of its apps."""
    rows = await ctx.session.execute(
        select(WecomApp.corp_id, WecomApp.name).where(WecomApp.kind == "app").order_by(WecomApp.id).limit(100)
    )
    found: dict[str, list[str]] = {}
    for corp_id, name in rows:
        found.setdefault(corp_id, []).append(name)
    return found


def _given(there: bool) -> AbilityState:
    return "granted" if there else "missing"
