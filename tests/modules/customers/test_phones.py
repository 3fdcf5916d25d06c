"""A customer's number: entered with care, shown in part, found as a whole, told to who may see it, which is noted."""

import pytest
from sqlalchemy import select

from huitouke.kernel.audit import AuditEntry
from huitouke.kernel.context import Context
from huitouke.kernel.database import transaction
from huitouke.kernel.errors import InvalidInput, NotFound
from huitouke.kernel.masking import CONTACTS
from huitouke.kernel.modules import load_modules
from huitouke.modules.customers import queries
from huitouke.modules.customers import service as customers
from huitouke.modules.customers.schemas import CustomerRow
from huitouke.modules.customers.service import problems
from tests.support.firm import Firm, Plan, make_firm
from tests.support.http import signed_in_client

TWO = Plan(member_of=(frozenset(), frozenset()), followed_by=(frozenset({0}), frozenset({1}), frozenset()))
NUMBER = "13800138000"


@pytest.fixture
async def firm(database: object) -> Firm:
    return await make_firm(TWO)


def without_contacts(ctx: Context) -> Context:
    return Context(ctx.tenant_id, ctx.actor, load_modules().permissions() - {CONTACTS}, ctx.scope)


async def enter(context: Context, firm: Firm, number: int, phone: str) -> None:
    async with transaction(context) as ctx:
        await customers.set_phone(ctx, firm.customers[number], phone)


async def found(context: Context, q: str) -> list[CustomerRow]:
    async with transaction(context) as ctx:
        return (await queries.customer_page(ctx, q, None, 50)).items


@pytest.mark.parametrize(
    ("written", "phone"),
    [
        (NUMBER, "+8613800138000"),
        (" 138 0013-8000 ", "+8613800138000"),
        ("+86 138 0013 8000", "+8613800138000"),
        ("8613800138000", "+8613800138000"),
        ("008613800138000", "+8613800138000"),
        ("１３８００１３８０００", "+8613800138000"),
        ("010-62781234", "+861062781234"),
        ("+86 10 62781234", "+861062781234"),
        ("(0755) 86013388", "+8675586013388"),
        ("+852 9123 4567", "+85291234567"),
        ("0085291234567", "+85291234567"),
    ],
)
def test_numbers_as_people_write_them(written: str, phone: str) -> None:
    assert customers.e164(written) == phone


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("", "phone_characters"),
        ("没有", "phone_characters"),
        ("138 0013 800O", "phone_characters"),
        ("1380013800", "phone_length"),
        ("138001380001", "phone_length"),
        ("12345678901", "phone_mobile"),
        ("+123", "phone_length"),
        ("62781234", "phone_length"),
    ],
)
def test_what_is_wrong_with_a_number_is_said(written: str, reason: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        customers.e164(written)
    assert refused.value.params["reason"] == reason


async def test_a_card_shows_the_number_with_its_middle_hidden_to_everybody(firm: Firm) -> None:
    await enter(firm.world.context, firm, 0, NUMBER)

    async with transaction(firm.world.context) as ctx:
        card = await queries.customer_card(ctx, firm.customers[0])
        entry = await ctx.session.scalar(select(AuditEntry).where(AuditEntry.action == "customers.phone_changed"))
    assert card.phone == "138****8000"
    assert NUMBER not in card.model_dump_json()
    assert entry is not None
    assert (entry.before, entry.after) == ({"phone": None}, {"phone": "138****8000"})


async def test_a_number_is_changed_and_taken_away(firm: Firm) -> None:
    await enter(firm.world.context, firm, 0, NUMBER)
    await enter(firm.world.context, firm, 0, "13900139000")
    async with transaction(firm.world.context) as ctx:
        assert await customers.phone_of(ctx, firm.customers[0]) == "+8613900139000"
        await customers.remove_phone(ctx, firm.customers[0])
        assert await customers.phone_of(ctx, firm.customers[0]) is None
    await enter(firm.world.context, firm, 1, NUMBER)


async def test_a_number_belongs_to_one_customer_who_is_named_to_who_sees_them(firm: Firm) -> None:
    await enter(firm.world.context, firm, 0, NUMBER)

    with pytest.raises(problems.PhoneTaken) as named:
        await enter(firm.world.context, firm, 2, NUMBER)
    assert named.value.params["customer_id"] == str(firm.customers[0])

    second = await firm.acting(1, "own")
    with pytest.raises(problems.PhoneTakenByAnother) as unnamed:
        await enter(second, firm, 1, NUMBER)
    assert unnamed.value.params == {}
    with pytest.raises(NotFound):
        await enter(second, firm, 0, "13900139000")


async def test_a_whole_number_finds_its_customer_within_the_scope_and_a_part_finds_nobody(firm: Firm) -> None:
    await enter(firm.world.context, firm, 0, NUMBER)
    first, second = await firm.acting(0, "own"), await firm.acting(1, "own")

    for context in (first, without_contacts(first), firm.world.context):
        assert [one.id for one in await found(context, "+86 138-0013-8000")] == [firm.customers[0]]
        assert await found(context, "1380013") == []
    assert await found(second, NUMBER) == []


async def test_numbers_in_remarks_are_not_found_by_their_parts_without_the_permission(firm: Firm) -> None:
    async with transaction(firm.world.context) as ctx:
        await customers.edit(ctx, firm.customers[2], remark=f"尺码 38，电话{NUMBER}")
    context = without_contacts(firm.world.context)

    assert [one.id for one in await found(firm.world.context, "0138")] == [firm.customers[2]]
    for part in ("138", "0138", "8000", "13", "3800"):
        assert await found(context, part) == [], part
    assert [one.id for one in await found(context, "尺码 38")] == [firm.customers[2]]


async def test_saving_a_card_that_one_saw_masked_keeps_its_numbers(firm: Firm) -> None:
    async with transaction(firm.world.context) as ctx:
        await customers.edit(ctx, firm.customers[2], remark=f"电话{NUMBER}")
    async with transaction(without_contacts(firm.world.context)) as ctx:
        row = await customers.edit(ctx, firm.customers[2], remark="电话138****8000，爱穿宽松的")
        assert row.remark == f"电话{NUMBER}，爱穿宽松的"


async def test_looking_at_a_whole_number_is_noted_and_shown_on_the_card(firm: Firm) -> None:
    async with signed_in_client(firm.world) as client:
        path = f"/api/customers/{firm.customers[0]}"
        assert (await client.post(f"{path}/phone/reveal")).status_code == 404
        entered = await client.put(f"{path}/phone", json={"phone": NUMBER})
        assert entered.json()["phone"] == "138****8000"

        revealed = await client.post(f"{path}/phone/reveal")

        assert revealed.json() == {"phone": NUMBER}
        (reading,) = (await client.get(f"{path}/readings")).json()
        assert (reading["action"], bool(reading["by"])) == ("customers.phone_revealed", True)
        noted = (await client.get("/api/audit", params={"reading": True})).json()["items"]
        assert [(one["action"], one["object_id"]) for one in noted] == [
            ("customers.phone_revealed", str(firm.customers[0]))
        ]
        assert NUMBER not in str(noted)


async def test_nobody_copies_all_numbers_by_looking_at_each(firm: Firm) -> None:
    await enter(firm.world.context, firm, 0, NUMBER)
    async with signed_in_client(firm.world) as client:
        path = f"/api/customers/{firm.customers[0]}/phone/reveal"
        answers = [await client.post(path) for _ in range(31)]

    assert [one.status_code for one in answers] == [200] * 30 + [429]
    assert "30 个完整号码" in answers[-1].json()["detail"]


async def test_offers_are_refused_and_allowed_on_the_card(firm: Firm) -> None:
    async with signed_in_client(firm.world) as client:
        path = f"/api/customers/{firm.customers[0]}"
        refused = await client.post(f"{path}/marketing/refusals", json={"note": "电话里说的"})
        (refusal,) = refused.json()["marketing_refusals"]
        assert (refusal["source"], refusal["channel"], refusal["note"]) == ("staff", "all", "电话里说的")
        assert refusal["by"]
        listed = (await client.get("/api/customers", params={"no_offers": True})).json()["items"]
        assert [one["id"] for one in listed] == [str(firm.customers[0])]

        assert (await client.post(f"{path}/marketing/allowances", json={"reason": " "})).status_code == 422
        allowed = await client.post(f"{path}/marketing/allowances", json={"reason": "到店说可以再发"})
        assert allowed.json()["marketing_refusals"] == []
        assert (await client.get("/api/customers", params={"no_offers": True})).json()["items"] == []
