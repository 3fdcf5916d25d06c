"""The prerequisites that every shop meets on its way to the real channels (FEATURES ORG-9).

Days are what it usually takes, dated; nobody promises them, and a shop enters its own. What a platform charges changes
without notice, so an entry says of what kind its cost is and its text where the figure stands.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Final
from urllib.parse import urlsplit

from sqlalchemy import select

from huitouke.kernel.context import Context
from huitouke.kernel.database import transaction
from huitouke.kernel.keys import Secret
from huitouke.kernel.settings import get_settings
from huitouke.modules.organization.diagnosis import mistake
from huitouke.modules.organization.diagnosis.address import is_inside, look_at
from huitouke.modules.organization.diagnosis.names import likeness, normalised
from huitouke.modules.organization.models import WecomApp
from huitouke.modules.organization.prerequisites.registry import Asked, Found, Prerequisite, Usual
from huitouke.modules.organization.service.company import change_company, company
from huitouke.modules.organization.service.wecom_apps import NewWecomApp, create_wecom_app

SEEN: Final = date(2026, 11, 1)


async def filing(context: Context, entered: Mapping[str, str]) -> Found:
    """Is the domain filed by the company itself? Compared as a register does: character by character."""
    async with transaction(context) as ctx:
        licence = (await company(ctx)).name
    entity = entered.get("filing_entity", "")
    if not licence or not entity:
        return Found("waiting")
    match likeness(licence, entity):
        case "same":
            return Found("ok")
        case "brackets":
            return Found("failed", "entity_brackets", {"one": licence, "other": entity, "entity": licence})
        case "different":
            return Found("failed", "entity_differs", {"one": licence, "other": entity, "entity": licence})


async def server(_: Context, __: Mapping[str, str]) -> Found:
    """Does our own address answer from outside, as far as one can tell from here?"""
    settings = get_settings()
    # As our callbacks do, this answers HEAD with 405; another server in our place answers otherwise.
    look = await look_at(f"{settings.public_url}/api/session", inside=is_inside(settings.wecom_base_url))
    if not look.found:
        return Found("ok")
    found = mistake(look.found)
    return Found("ok" if found.weight == "optional" else "failed", found.key, look.values)


async def app_connected(context: Context, _: Mapping[str, str]) -> Found:
    """Did the last check of an app find nothing wrong?"""
    async with transaction(context) as ctx:
        states = set(await ctx.session.scalars(select(WecomApp.state).where(WecomApp.kind == "app").distinct()))
    if "verified" in states:
        return Found("ok")
    return Found("failed" if "failing" in states else "waiting")


async def take_licence(ctx: Context, entered: Mapping[str, str]) -> None:
    """The company's data have one place: its profile."""
    known = await company(ctx)
    number = entered.get("licence_number", known.licence_number)
    await change_company(ctx, replace(known, name=entered["company_name"], licence_number=number))


async def take_app(ctx: Context, entered: Mapping[str, str]) -> None:
    """Whoever has the three values enters the app; the secret is sealed with it and kept nowhere else."""
    new = NewWecomApp("客服", entered["corp_id"], entered["agent_id"], Secret(entered["secret"]))
    await create_wecom_app(ctx, new)


def own_domain(entered: Mapping[str, str]) -> bool:
    """Whether the domain that was entered is the one we are reached at."""
    host = urlsplit(get_settings().public_url).hostname or ""
    wanted = normalised(entered.get("domain", ""))
    return bool(wanted) and (host == wanted or host.endswith(f".{wanted}"))


BUILT_IN: Final = (
    Prerequisite(
        "business_licence", "company", "owner", "free", Usual(0, SEEN),
        features=("chat", "customers", "payments", "sms", "notices"),
        asks=(Asked("company_name"), Asked("licence_number", required=False)), take=take_licence,
    ),
    Prerequisite(
        "wecom_verified", "company", "owner", "yearly_fee", Usual(3, SEEN), after=("business_licence",),
        features=("chat", "customers", "archive", "staff_desk"), asks=(Asked("wecom_name", required=False),),
    ),
    Prerequisite(
        "server", "reach", "technician", "price", Usual(1, SEEN), features=("chat", "sign_in"),
        asks=(Asked("fixed_ip", required=False),), check=server,
    ),
    Prerequisite(
        "domain", "reach", "technician", "price", Usual(20, SEEN), after=("business_licence", "server"),
        features=("chat", "sign_in", "notices"),
        asks=(Asked("domain"), Asked("filing_entity"), Asked("filing_number", required=False)), check=filing,
    ),
    Prerequisite(
        "wecom_app", "wecom", "administrator", "free", Usual(1, SEEN), after=("server",),
        features=("chat", "customers", "sign_in", "staff_desk"),
        asks=(Asked("corp_id"), Asked("agent_id"), Asked("secret", secret=True)), check=app_connected, take=take_app,
    ),
    Prerequisite(
        "staff_ready", "wecom", "administrator", "free", Usual(2, SEEN), after=("wecom_verified",),
        features=("customers", "staff_desk"),
    ),
    Prerequisite(
        "service_account", "more", "owner", "yearly_fee", Usual(5, SEEN), after=("business_licence",),
        features=("notices", "payments"), asks=(Asked("account_name", required=False),),
    ),
    Prerequisite(
        "notice_templates", "more", "administrator", "free", Usual(3, SEEN), after=("service_account",),
        features=("notices",),
    ),
    Prerequisite(
        "merchant_number", "more", "accountant", "free", Usual(5, SEEN), after=("business_licence", "service_account"),
        features=("payments",), asks=(Asked("merchant_id", required=False),),
    ),
    Prerequisite(
        "archive_seats", "more", "owner", "price", Usual(3, SEEN), after=("wecom_verified",), features=("archive",),
    ),
    Prerequisite(
        "sms_signature", "more", "owner", "usage", Usual(5, SEEN), after=("business_licence",), features=("sms",),
        asks=(Asked("signature", required=False),),
    ),
)  # fmt: skip
