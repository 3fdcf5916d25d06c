"""No offer leaves to somebody who refused them, or had enough of them, whoever sends it and in whatever channel."""

import ast
import asyncio
import random
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select, update

import huitouke
from huitouke.kernel import clock, outreach
from huitouke.kernel.audit import AuditEntry
from huitouke.kernel.context import ALL_DATA, Actor, ActorKind, Context
from huitouke.kernel.database import transaction
from huitouke.kernel.errors import InvalidInput, NotFound
from huitouke.kernel.ids import new_id
from huitouke.kernel.outreach import Recipient
from huitouke.modules.customers import service as customers
from huitouke.modules.customers.models import CustomerIdentity, MarketingMessage, MarketingRefusal
from tests.support.world import World

PHONE = "+8613800138000"
STAFF = Actor(ActorKind.STAFF, new_id(), new_id())


@pytest.fixture
async def someone(world: World) -> UUID:
    async with transaction(world.context) as ctx:
        return (await customers.find_or_create_many(ctx, "external_userid", "ww1", ["wm-1"]))["wm-1"]


async def has_number(world: World, customer_id: UUID, phone: str = PHONE) -> None:
    async with transaction(world.context) as ctx:
        ctx.session.add(
            CustomerIdentity(
                id=new_id(), customer_id=customer_id, kind="phone", issuer="e164", value=phone, created_at=clock.now()
            )
        )


async def offered(world: World, *recipients: Recipient, channel: str = "sms", purpose: str = "marketing") -> list[str]:
    """What is said against each of them, "" for nothing."""
    async with transaction(world.context) as ctx:
        found = await outreach.refusals(ctx, recipients, channel=channel, purpose=purpose)  # type: ignore[arg-type]  # a word of the test
    return [found.get(one, "") for one in recipients]


async def refuse(world: World, *refusals: customers.Refusal) -> int:
    async with transaction(world.context) as ctx:
        return await customers.refuse_marketing(ctx, refusals)


def message(customer_id: UUID | None = None, phone: str | None = None) -> Recipient:
    return Recipient(customer_id, phone, new_id())


async def test_who_refused_gets_no_offer_but_every_answer(world: World, someone: UUID) -> None:
    assert await offered(world, message(someone)) == [""]
    assert await refuse(world, customers.Refusal("customer_words", someone)) == 1

    assert await offered(world, message(someone)) == ["refused_marketing"]
    assert await offered(world, message(someone), purpose="service") == [""]
    assert await offered(world, message(someone), purpose="transaction") == [""]


async def test_a_refusal_of_one_channel_leaves_the_others(world: World, someone: UUID) -> None:
    await refuse(world, customers.Refusal("sms_reply", someone, channel="sms"))

    assert await offered(world, Recipient(someone), channel="sms") == ["refused_marketing"]
    assert await offered(world, Recipient(someone), channel="wecom_kf") == [""]


async def test_a_number_stands_for_its_customer_and_a_customer_for_their_numbers(world: World, someone: UUID) -> None:
    await refuse(world, customers.Refusal("import", phone=PHONE))
    assert await offered(world, Recipient(phone=PHONE), Recipient(someone)) == ["refused_marketing", ""]

    await has_number(world, someone)
    assert await offered(world, Recipient(someone)) == ["refused_marketing"]

    async with transaction(world.context) as ctx:
        assert await customers.allow_again(ctx, someone, "到店当面说可以再发") == 1
    await refuse(world, customers.Refusal("staff", someone))
    assert await offered(world, Recipient(phone=PHONE)) == ["refused_marketing"]


async def test_refusing_twice_is_one_refusal_and_each_source_is_kept(world: World, someone: UUID) -> None:
    assert await refuse(world, customers.Refusal("customer_words", someone)) == 1
    assert await refuse(world, customers.Refusal("customer_words", someone), customers.Refusal("import", someone)) == 1

    async with transaction(world.context) as ctx:
        sources = list(await ctx.session.scalars(select(MarketingRefusal.source).order_by(MarketingRefusal.source)))
    assert sources == ["customer_words", "import"]


async def test_nothing_is_lifted_without_a_reason(world: World, someone: UUID) -> None:
    await refuse(world, customers.Refusal("customer_words", someone))
    for reason in ("", "  ", "长" * 201):
        with pytest.raises(InvalidInput):
            async with transaction(world.context) as ctx:
                await customers.allow_again(ctx, someone, reason)
    assert await offered(world, Recipient(someone)) == ["refused_marketing"]

    async with transaction(world.context.acting_as(STAFF)) as ctx:
        await customers.allow_again(ctx, someone, "到店当面说可以再发")
    assert await offered(world, Recipient(someone)) == [""]
    async with transaction(world.context) as ctx:
        entry = await ctx.session.scalar(select(AuditEntry).where(AuditEntry.action == "customers.marketing_allowed"))
    assert entry is not None
    assert (entry.actor_id, entry.before, entry.after) == (
        STAFF.id,
        {"source": "customer_words"},
        {"reason": "到店当面说可以再发"},
    )


async def test_an_import_never_lifts_what_the_customer_said(world: World, someone: UUID) -> None:
    await refuse(world, customers.Refusal("customer_words", someone))
    await refuse(world, customers.Refusal("import", someone))

    async with transaction(world.context) as ctx:
        row = await ctx.session.scalar(select(MarketingRefusal).where(MarketingRefusal.source == "customer_words"))
    assert row is not None
    assert row.ended_at is None


async def test_staff_change_only_customers_they_see(world: World) -> None:
    stranger = Context(world.tenant_id, STAFF, scope=ALL_DATA)
    with pytest.raises(NotFound):
        async with transaction(stranger) as ctx:
            await customers.refuse_for(ctx, new_id(), None)
    with pytest.raises(NotFound):
        async with transaction(stranger) as ctx:
            await customers.allow_again(ctx, new_id(), "说可以")


async def test_nobody_gets_more_offers_in_seven_days_than_the_shop_allows(world: World, someone: UUID) -> None:
    async with transaction(world.context) as ctx:
        await customers.set_marketing_per_week(ctx, 2)
    await has_number(world, someone)

    assert await offered(world, message(someone), channel="wecom_kf") == [""]
    assert await offered(world, message(phone=PHONE), channel="sms") == [""]
    assert await offered(world, message(someone), channel="wecom_kf") == ["marketing_cap"]
    assert await offered(world, message(someone), purpose="service") == [""]

    async with transaction(world.context) as ctx:
        await ctx.session.execute(update(MarketingMessage).values(left_at=clock.now() - timedelta(days=7)))
    assert await offered(world, message(someone)) == [""]


async def test_asking_counts_nothing_and_a_repeat_counts_once(world: World, someone: UUID) -> None:
    async with transaction(world.context) as ctx:
        await customers.set_marketing_per_week(ctx, 1)
    for _ in range(3):
        assert await offered(world, Recipient(someone)) == [""]
    first = message(someone)
    for _ in range(3):
        assert await offered(world, first) == [""]
    assert await offered(world, message(someone)) == ["marketing_cap"]

    await refuse(world, customers.Refusal("customer_words", someone))
    assert await offered(world, first) == ["refused_marketing"]


async def test_two_offers_to_one_person_in_one_question_count_as_two(world: World, someone: UUID) -> None:
    async with transaction(world.context) as ctx:
        await customers.set_marketing_per_week(ctx, 1)
    await has_number(world, someone)

    assert await offered(world, message(someone), message(phone=PHONE)) == ["", "marketing_cap"]


async def test_offers_that_leave_at_the_same_moment_keep_to_the_limit(world: World, someone: UUID) -> None:
    results = await asyncio.gather(*(offered(world, message(someone)) for _ in range(8)))

    assert sorted(results) == [[""]] * 3 + [["marketing_cap"]] * 5


async def test_the_limit_has_limits(world: World) -> None:
    for count in (0, 51):
        with pytest.raises(InvalidInput):
            async with transaction(world.context) as ctx:
                await customers.set_marketing_per_week(ctx, count)


@dataclass
class Shadow:
    """The plain definition: who has refused where, by customer."""

    refused: set[tuple[int, str]] = field(default_factory=set)

    def may(self, customer: int, channel: str) -> bool:
        return not {(customer, "all"), (customer, channel)} & self.refused


@pytest.mark.parametrize("seed", range(12))
async def test_after_any_sequence_no_offer_leaves_to_who_refused(world: World, seed: int) -> None:
    dice = random.Random(seed)
    shadow = Shadow()
    async with transaction(world.context) as ctx:
        await customers.set_marketing_per_week(ctx, 50)
        found = await customers.find_or_create_many(ctx, "external_userid", "ww1", [f"wm-{n}" for n in range(3)])
    people = [found[f"wm-{n}"] for n in range(3)]
    phones = [f"+861380013800{n}" for n in range(3)]
    for person, phone in zip(people, phones, strict=True):
        await has_number(world, person, phone)
    for _ in range(30):
        who, channel = dice.randrange(3), dice.choice(["sms", "wecom_kf", "all"])
        by_phone = dice.random() < 0.5
        match dice.choice(["refuse", "refuse", "allow", "send", "send", "send"]):
            case "refuse":
                source = dice.choice(["customer_words", "staff", "import", "sms_reply", "customer_page"])
                target = {"phone": phones[who]} if by_phone else {"customer_id": people[who]}
                await refuse(world, customers.Refusal(source, channel=channel, **target))  # type: ignore[arg-type]  # drawn
                shadow.refused.add((who, channel))
            case "allow":
                async with transaction(world.context) as ctx:
                    await customers.allow_again(ctx, people[who], "说可以")
                shadow.refused = {one for one in shadow.refused if one[0] != who}
            case "send" if channel != "all":
                to = message(phone=phones[who]) if by_phone else message(people[who])
                left = await offered(world, to, channel=channel) == [""]
                assert left == shadow.may(who, channel), (seed, who, channel)


SOURCE = Path(huitouke.__file__).parent
SENDERS = {
    "modules/conversations/reactions/delivering.py": "`delivery.begin` asked before, in the same run",
    "modules/organization/service/sms.py": "`begin` asked before, in the same run",
}
"""The one place of each way to customers from which a message leaves."""

OTHER_SENDS = {
    "modules/organization/reactions.py": "the SMS sender itself",
    "modules/organization/service/notifying/delivery.py": "notices to the shop's own people",
    "modules/organization/service/mailing.py": "links to the shop's own people",
    "modules/assistant/model/transport.py": "a model's endpoint",
    "kernel/realtime/socket.py": "a browser's socket",
    "kernel/realtime/connection.py": "a browser's socket",
    "kernel/outgoing.py": "the HTTP client itself",
}


def test_only_the_sender_calls_a_channel() -> None:
    calling = {
        str(path.relative_to(SOURCE))
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "send"
    }

    assert calling == {*SENDERS, *OTHER_SENDS}, "whoever sends asks `kernel.outreach` first, in the one place"


def test_everything_that_is_queued_says_what_for() -> None:
    silent = []
    for path in SOURCE.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in (
                "OutboundMessage",
                "SendRequest",
            ):
                if "purpose" not in {keyword.arg for keyword in node.keywords}:
                    silent.append(f"{path.relative_to(SOURCE)}:{node.lineno}")
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                _, found, after = node.value.partition("INSERT INTO outbound_messages")
                if found and "purpose" not in after.partition(")")[0]:
                    silent.append(f"{path.relative_to(SOURCE)}:{node.lineno}")

    assert not silent, "what leaves is asked for its purpose"
