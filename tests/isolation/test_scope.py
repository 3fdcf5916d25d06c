"""Narrower roles from outside: who may do everything, but sees only the own customers, reaches for a colleague's.

As with the neighbour's, endpoints and the places where ids go come from the OpenAPI document. An id is declared here to
be somebody's or the shop's; one that is not declared fails these tests, and so does a table.
"""

import ast
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import select, text

import huitouke
from huitouke.kernel import clock
from huitouke.kernel.database import Base, TenantScoped, transaction
from huitouke.kernel.database.columns import columns_of
from huitouke.kernel.files import service as files
from huitouke.kernel.ids import new_id
from huitouke.kernel.modules import load_modules
from huitouke.kernel.scoping import scoped_tables
from huitouke.modules.conversations.models import Conversation, Message
from huitouke.modules.customers import service as customers
from huitouke.modules.customers.models import Customer
from tests.isolation.neighbours import Merchant, merchant
from tests.isolation.test_http import READ_AND_NOTED, REFUSED, Findings, same_for_unknown
from tests.isolation.test_sockets_and_files import heard, say, socket
from tests.modules.wechat_sandbox.shop import Sandbox
from tests.support.http import PASSWORD, application, signed_in
from tests.support.operations import NO_SUCH_ID, operations

SOMEBODYS = {"customer_id", "conversation_id", "message_id", "file_id", "letter_id"}
"""Ids of what belongs to somebody, and is seen with the customer. Letters of work that failed name such rows."""

THE_SHOPS = {
    "account_id": "an account of the shop",
    "actor_id": "names of colleagues are no secret; entries of the log are narrowed themselves",
    "app_id": "an app of the shop",
    "channel_account_id": "an account of the shop",
    "department_id": "the shop's own order",
    "department_ids": "the shop's own order",
    "delivery_id": "what went out to colleagues and groups, without what it said",
    "entry_id": "the shop's knowledge",
    "assignee_id": "names of colleagues are no secret",
    "import_id": "the shop's knowledge",
    "link_id": "the shop's way to its channels",
    "notice_id": "one's own notices, whoever one is",
    "parent_id": "the shop's own order",
    "received_id": "what came in for an app, without what customers wrote",
    "refusal_id": "of a number that is nobody's; of a customer it is seen with the customer",
    "robot_id": "a robot of the shop",
    "role": "a role of the shop",
    "role_id": "a role of the shop",
    "session_id": "one's own sessions, whoever one is",
    "staff_id": "names of colleagues are no secret",
    "staff_import_id": "names of colleagues are no secret",
    "visit_id": "the shop's, and its owners' to answer",
    "wecom_app_id": "an app of the shop",
}

SHOPS_TABLES = {
    "access_tokens": "the shop's",
    "address_codes": "one's own",
    "address_book_people": "names of colleagues are no secret",
    "address_books": "the shop's",
    "assistant_settings": "the shop's",
    "callback_endpoints": "the shop's",
    "callback_refusals": "the shop's",
    "callbacks": "what came in; read by jobs, and without bodies by who manages apps",
    "channel_accounts": "the shop's",
    "channel_media": "which of our files WeCom has already; read by jobs",
    "company_profiles": "the shop's",
    "departments": "the shop's",
    "group_robots": "the shop's",
    "notice_choices": "one's own",
    "notice_deliveries": "one's own, and for who manages the shop without what was said",
    "notice_settings": "one's own",
    "notices": "one's own: asked for by the person's id",
    "early_recalls": "ids of WeCom's; read by jobs",
    "industry_entries": "the shop's knowledge",
    "hosted_pages": "the shop's, and its visitors' to look at",
    "knowledge_entries": "the shop's",
    "knowledge_import_chunks": "the shop's",
    "knowledge_imports": "the shop's",
    "knowledge_versions": "the shop's",
    "message_receipts": "ids of WeCom's; read by jobs",
    "model_endpoints": "the shop's",
    "onboarding": "what the shop tells of itself",
    "public_links": "which address is the shop's; whoever has it may open it",
    "privacy_settings": "the shop's",
    "prerequisite_states": "the shop's way to its channels",
    "shared_links": "links that the shop gave away, without their tokens",
    "quota_spending": "figures of the shop",
    "role_departments": "the shop's",
    "roles": "the shop's",
    "sms_accounts": "the shop's",
    "sms_messages": "read by jobs",
    "sms_replies": "read by jobs, by the id that an event names",
    "staff": "names of colleagues are no secret",
    "staff_departments": "the shop's",
    "staff_imports": "names of colleagues are no secret",
    "wecom_apps": "the shop's",
    "wecom_call_failures": "figures of the shop",
}

OF_FOUND_ROWS = {
    "kernel/database/transactions.py": 1,  # where it is obeyed
    "modules/conversations/queries.py": 2,  # messages and the customer's names, of a conversation
    "modules/customers/queries.py": 3,  # names, followers and refusals, of a customer
}
"""Files that read what hangs on a row which they have just found in scope, and how many such statements."""

HAND_WRITTEN = {
    "kernel/callbacks/health.py": "shown only to who sees all",
    "kernel/callbacks/service.py": "bodies of callbacks; called by jobs",
    "kernel/events/dispatch.py": "jobs",
    "kernel/events/emit.py": "writes only",
    "kernel/events/retry.py": "jobs",
    "kernel/operators/health.py": "jobs: figures of the shop",
    "kernel/plans/service.py": "figures of the shop",
    "kernel/work/dead_letters.py": "shown only to who sees all",
    "kernel/work/requests.py": "asks for work, reads none",
    "modules/assistant/reply/turns.py": "jobs",
    "modules/assistant/retrieval/index.py": "the shop's knowledge",
    "modules/assistant/service/entries.py": "the shop's knowledge",
    "modules/assistant/service/model_endpoint.py": "the shop's",
    "modules/assistant/service/settings.py": "the shop's",
    "modules/assistant/service/traces.py": "writes only",
    "modules/conversations/reactions/syncing.py": "jobs",
    "modules/conversations/service/account_endings.py": "ends an account of the shop with all that runs through it",
    "modules/conversations/service/assistant.py": "jobs",
    "modules/conversations/service/delivery.py": "jobs",
    "modules/conversations/service/receiving.py": "jobs",
    "modules/conversations/service/sending.py": "`lock_many`: jobs",
    "modules/customers/service/cards.py": "jobs: what channels tell",
    "modules/customers/service/followers.py": "asks first whether the customer is seen, or its callers have",
    "modules/customers/service/marketing.py": "says that somebody may not be written to, and nothing of them",
    "modules/customers/service/phones.py": "asks whether a number is taken, and says by whom only to who sees them",
    "modules/organization/people_queries.py": "names of colleagues are no secret",
    "modules/organization/service/address_book_news.py": "names of colleagues are no secret",
    "modules/organization/service/address_book_people.py": "names of colleagues are no secret",
    "modules/organization/service/address_book_run.py": "names of colleagues are no secret",
    "modules/organization/service/clients.py": "the shop's apps",
    "modules/organization/service/departments.py": "the shop's own order",
    "modules/organization/service/notifying/telling.py": "writes only",
    "modules/organization/service/notifying/watching.py": "jobs: figures of the shop",
    "modules/organization/service/scopes.py": "departments",
    "modules/organization/service/staff_imports.py": "names of colleagues are no secret",
}
"""Files with statements that the session doesn't narrow, and why none of them shows what isn't seen."""


@dataclass
class Colleague:
    """Somebody who may do everything and sees only the own customers."""

    client: httpx2.AsyncClient
    staff_id: UUID
    ids: dict[str, str]
    """The merchant's ids, with the colleague's own customer instead of the owner's."""


@pytest.fixture(scope="module")
async def mine(running: tuple[Sandbox, str]) -> AsyncIterator[Merchant]:
    """One of its own: further customers would be in the way of other tests."""
    async with merchant(*running) as one:
        yield one


@pytest.fixture(scope="module")
async def secret(mine: Merchant) -> str:
    """Stands in what the owner's customer is called, wrote and was told, and nowhere else."""
    word = f"私房{new_id().hex}"
    place = f"/api/conversations/{mine.ids['conversation_id']}"
    named = await mine.owner.patch(f"/api/customers/{mine.ids['customer_id']}", json={"remark": f"{word}老客"})
    stored = await mine.owner.post(
        "/api/files", params={"purpose": "message_file"}, files={"file": (f"{word}.txt", word.encode())}
    )
    sent = await mine.owner.post(f"{place}/messages", json={"file_id": stored.json()["id"]})
    assert (named.status_code, stored.status_code, sent.status_code) == (200, 201, 201), sent.text
    await mine.desk.work()
    return word


@pytest.fixture(scope="module")
async def colleague(mine: Merchant, secret: str) -> AsyncIterator[Colleague]:
    everything = sorted(load_modules().permissions())
    role = await mine.owner.post(
        "/api/roles", json={"name": f"窄{new_id().hex[-8:]}", "permissions": everything, "data_scope": "own"}
    )
    name = f"narrow-{new_id().hex}"
    person = {"name": "小满", "sign_in_name": name, "password": PASSWORD, "role": role.json()["key"]}
    staff_id = UUID((await mine.owner.post("/api/staff", json=person)).json()["id"])
    ids = {**mine.ids, **await _own_customer(mine, staff_id), "letter_id": str(NO_SUCH_ID)}
    async with signed_in(application(), name) as client:
        yield Colleague(client, staff_id, ids)


async def _own_customer(mine: Merchant, staff_id: UUID) -> dict[str, str]:
    """A customer of the colleague's, in the middle of a conversation with them."""
    now = clock.now()
    customer, conversation, message = new_id(), new_id(), new_id()
    async with transaction(mine.desk.context) as ctx:
        like = await ctx.session.scalar(
            select(Conversation).where(Conversation.id == UUID(mine.ids["conversation_id"]))
        )
        assert like is not None
        ctx.session.add(
            Customer(id=customer, name="自己的客户", gender="unknown", created_at=now, updated_at=now, version=1)
        )
        await ctx.session.flush()
        copied = {
            column: getattr(like, column)
            for column in columns_of(Conversation).split(", ")
            if column not in ("id", "tenant_id")
        }
        own = {"customer_id": customer, "customer_address": f"wm-{customer.hex}", "staff_id": staff_id, "seq": 3}
        ctx.session.add(Conversation(id=conversation, **{**copied, **own, "handover_id": None}))
        await ctx.session.flush()
        ctx.session.add(
            Message(
                id=message,
                conversation_id=conversation,
                seq=1,
                changed_seq=1,
                direction="in",
                sender_kind="customer",
                msgtype="text",
                text="在吗",
                content={},
                ai=False,
                state="received",
                sent_at=now,
                created_at=now,
            )
        )
        await customers.follow(ctx, customer, staff_id)
    return {"customer_id": str(customer), "conversation_id": str(conversation), "message_id": str(message)}


@pytest.fixture(scope="module")
async def theirs_ids(mine: Merchant, secret: str) -> dict[str, str]:
    """The ids of the owner's customer; the file is one that was sent."""
    async with transaction(mine.desk.context) as ctx:
        sent = await ctx.session.scalar(
            select(Message).where(
                Message.conversation_id == UUID(mine.ids["conversation_id"]), Message.file_id.is_not(None)
            )
        )
        assert sent is not None
        assert (await files.get(ctx, sent.file_id)).name == f"{secret}.txt"  # type: ignore[arg-type]  # it has one
    return {**mine.ids, "file_id": str(sent.file_id)}


@pytest.fixture
async def findings(
    mine: Merchant, secret: str, colleague: Colleague, record_property: Callable[[str, object], None]
) -> Findings:
    """Finds everything by which the owner's customer would be recognised."""
    found = {secret, mine.desk.shop.customer}
    ids = {"customer": mine.ids["customer_id"], "conversation": mine.ids["conversation_id"]}
    statements = (
        "SELECT id FROM customers WHERE id = :customer",
        "SELECT id FROM customer_identities WHERE customer_id = :customer",
        "SELECT id FROM conversations WHERE id = :conversation",
        "SELECT id FROM messages WHERE conversation_id = :conversation",
        "SELECT id FROM reply_traces WHERE conversation_id = :conversation",
        "SELECT file_id FROM messages WHERE conversation_id = :conversation AND file_id IS NOT NULL",
        "SELECT handover_id FROM handover_notices WHERE conversation_id = :conversation",
    )
    async with transaction(mine.desk.context) as ctx:
        for statement in statements:
            named = {name: UUID(id) for name, id in ids.items() if f":{name}" in statement}
            rows = (
                await ctx.session.scalars(text(f"{statement} AND tenant_id = :t"), {**named, "t": ctx.tenant_id})
            ).all()
            found |= {str(row) for row in rows}
    assert len(found) > 6
    return Findings(found, record_property)


def test_every_id_is_somebodys_or_the_shops() -> None:
    names = {place.name for operation in operations() for place in operation.places if place.has(format="uuid")}
    assert names == SOMEBODYS | set(THE_SHOPS)


def test_every_table_is_somebodys_or_the_shops() -> None:
    mapped = {mapper.class_ for mapper in Base.registry.mappers if mapper.class_.__module__.startswith("huitouke.")}
    tenants = {model.__tablename__ for model in mapped if issubclass(model, TenantScoped)}
    narrowed = {rule.model.__tablename__ for rule in scoped_tables()}
    assert tenants - narrowed == set(SHOPS_TABLES)


def test_every_statement_that_is_not_narrowed_is_accounted_for() -> None:
    """`connection` gives the driver, whose statements no hook sees."""
    root = Path(huitouke.__file__).parent
    found = set()
    for file in root.rglob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        if any(isinstance(node, ast.Call) and getattr(node.func, "id", "") == "connection" for node in ast.walk(tree)):
            found.add(str(file.relative_to(root)))
    assert found == set(HAND_WRITTEN)


def test_what_is_not_asked_twice_is_accounted_for() -> None:
    """A statement with `OF_A_FOUND_ROW` is not narrowed: the row on which it hangs was, just before."""
    root = Path(huitouke.__file__).parent
    found = {
        str(file.relative_to(root)): names
        for file in root.rglob("*.py")
        if (names := [name for name in _names(file) if name == "OF_A_FOUND_ROW"])
    }
    assert {file: len(names) for file, names in found.items()} == OF_FOUND_ROWS


def _names(file: Path) -> list[str]:
    """The names that the file's code reads."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return [node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)]


async def test_the_colleague_sees_the_own_customer_and_the_owner_sees_both(
    mine: Merchant, colleague: Colleague
) -> None:
    """Else the other tests would find nothing, because nothing is shown at all."""
    for client, expected in ((colleague.client, 1), (mine.owner, 2)):
        assert len((await client.get("/api/customers")).json()["items"]) == expected
        assert len((await client.get("/api/conversations")).json()["items"]) == expected
        assert (await client.get("/api/conversations/counts")).json()["open"] == expected
    for kind in ("customers", "conversations"):
        own = colleague.ids[f"{kind[:-1]}_id"]
        assert (await colleague.client.get(f"/api/{kind}/{own}")).status_code == 200


async def test_a_colleagues_id_is_an_id_that_never_existed(
    colleague: Colleague, theirs_ids: dict[str, str], findings: Findings
) -> None:
    """In every place that takes the id of something that is somebody's: refused, in the words for one made up."""
    for operation in operations():
        for place in operation.places:
            if not place.has(format="uuid") or place.name not in SOMEBODYS:
                continue
            reached = await operation.ask_with(colleague.ids, place, theirs_ids[place.name]).send(colleague.client)
            unknown = await operation.ask_with(colleague.ids, place, str(NO_SUCH_ID)).send(colleague.client)
            reads = operation.method == "GET" or operation.id in READ_AND_NOTED
            filters = reads and place.where == "query" and not place.required
            findings.judge(operation, str(place), reached, {200} if filters else REFUSED)
            if filters and reached.json()["items"]:
                findings.wrong.append(f"{operation.id} {place}: {reached.text[:100]}")
            if same_for_unknown(reached) != same_for_unknown(unknown):
                findings.wrong.append(f"{operation.id} {place}: {reached.text[:150]} differs from {unknown.text[:150]}")
    findings.close("colleague's ids")


async def test_lists_searches_counts_and_exports_show_the_own_rows_only(
    mine: Merchant, colleague: Colleague, secret: str, findings: Findings
) -> None:
    for operation in operations():
        if operation.method != "GET" and operation.id not in READ_AND_NOTED:
            continue
        if any(place.where == "path" and place.name in SOMEBODYS for place in operation.places):
            continue  # the test before this one
        findings.judge(operation, "as it is", await operation.ask(colleague.ids).send(colleague.client), {200, 201})
        for place in operation.places:
            if place.name == "q":
                for wanted in (secret[:20], mine.word[2:20]):
                    answer = await operation.ask_with(colleague.ids, place, wanted).send(colleague.client)
                    findings.judge(operation, "searched", answer, {200})
            if place.name in ("sort", "view"):
                for value in place.schema["enum"]:
                    answer = await operation.ask_with(colleague.ids, place, value).send(colleague.client)
                    findings.judge(operation, value, answer, {200})
            if place.name in ("actor_id", "object_id"):
                answer = await operation.ask_with(colleague.ids, place, mine.ids[place.name]).send(colleague.client)
                findings.judge(operation, str(place), answer, {200, 201})
    findings.close("colleague's lists")


async def test_what_happens_to_a_colleagues_customer_is_not_heard(
    running: tuple[Sandbox, str], mine: Merchant, colleague: Colleague, findings: Findings
) -> None:
    theirs, own = mine.ids["conversation_id"], colleague.ids["conversation_id"]
    cookie = f"huitouke_session={colleague.client.cookies['huitouke_session']}"
    async with socket(running[1], cookie=cookie) as connection, socket(running[1], mine) as owner:
        await heard(connection)
        await say(connection, type="open", streams={theirs: 0})
        refused = await heard(connection)
        assert refused == [{"type": "error", "code": "not_found", "stream": "conversation", "id": theirs}]
        await say(connection, type="open", streams={own: 0}, since="1970-01-01T00:00:00Z")
        await say(owner, type="open", streams={theirs: 0}, since="1970-01-01T00:00:00Z")
        told = await heard(connection)
        await heard(owner)
        await mine.owner.patch(f"/api/customers/{mine.ids['customer_id']}", json={"name": f"改名{new_id().hex[-6:]}"})
        await mine.owner.post(f"/api/conversations/{theirs}/pause-assistant", json={"paused": True, "minutes": 5})
        for kind in ("customer", "inbox"):
            hints = [frame for frame in await heard(owner) if frame["type"] == "hint" and frame["kind"] == kind]
            assert kind != "customer" or hints, "the owner hears it"
        told += await heard(connection)
    assert [frame["ids"] for frame in told if frame["type"] == "changed"] == [[own]]
    words = json.dumps(told, ensure_ascii=False)
    assert [one for one in findings.secrets if one in words] == []


async def test_a_customer_that_becomes_a_colleagues_is_closed_on_the_screen(
    running: tuple[Sandbox, str], mine: Merchant, colleague: Colleague
) -> None:
    """Nobody's customer is on the colleague's screen; then the owner takes it."""
    nobodys = await _own_customer(mine, colleague.staff_id)
    place = f"/api/customers/{nobodys['customer_id']}/followers"
    cookie = f"huitouke_session={colleague.client.cookies['huitouke_session']}"
    async with socket(running[1], cookie=cookie) as connection:
        await say(connection, type="open", streams={nobodys["conversation_id"]: 0})
        await heard(connection)
        assert (await mine.owner.put(f"{place}/{mine.desk.owner.id}")).status_code == 204
        assert (await mine.owner.delete(f"{place}/{colleague.staff_id}")).status_code == 204
        assert any(frame["type"] == "hint" and frame["kind"] == "sight" for frame in await heard(connection))
        paused = {"paused": True, "minutes": 5}
        await mine.owner.post(f"/api/conversations/{nobodys['conversation_id']}/pause-assistant", json=paused)
        frames = await heard(connection)
    gone = {"type": "error", "code": "not_found", "stream": "conversation", "id": nobodys["conversation_id"]}
    assert [frame for frame in frames if frame["type"] in ("error", "frame")] == [gone]
    assert (await colleague.client.get(f"/api/customers/{nobodys['customer_id']}")).status_code == 404
