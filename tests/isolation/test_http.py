"""The whole API from outside: strangers, the neighbour, people without the right, foreign pages. All are refused.

Endpoints come from the application's own route table and the OpenAPI document; one that these tests can't reach, or
that nobody has said to be public, fails them.
"""

import inspect
import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from http import HTTPStatus
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from huitouke.app import SURFACES, access_resolver
from huitouke.kernel.access import use_resolver
from huitouke.kernel.access.resolver import Granted
from huitouke.kernel.context import Context
from huitouke.kernel.modules import Surface, load_modules
from huitouke.modules.organization.service.roles import permissions_of
from tests.isolation.neighbours import Merchant, fastapi_of, routes_of, traces_of
from tests.support.http import ORIGIN, application, client, signed_in
from tests.support.operations import NO_SUCH_ID, UNSAFE, Operation, Place, operations

PUBLIC = {
    "/health/live": "probes have no session",
    "/health/ready": "probes have no session",
    "/metrics": "this machine, or the bearer of a token",
    "/files/{file_id}": "whoever has a signed address; see the tests of files below",
    "/openapi.json": "documents hold nobody's data",
    "/openapi/{name}.json": "documents hold nobody's data",
    "/docs": "documents hold nobody's data",
    "/docs/{name}": "documents hold nobody's data",
    "/testing/clock": "only with HUITOUKE_TESTING",
}
"""What answers without a session, and why."""

FOR_EVERYBODY_SIGNED_IN = {
    "session_me",
    "session_change",
    "session_change_password",
    "session_sign_in",
    "session_sign_out",
    "session_list",
    "session_end",
    "session_end_others",
    "session_look_at_link",
    "session_use_link",
    "wecom_door",
    "wecom_door_way",
    "wecom_door_sign_in",
    "organization_look_at_handed",
    "organization_answer_handed",
    "session_second_step",
    "session_second_factor",
    "session_begin_second_factor",
    "session_confirm_second_factor",
    "session_renew_recovery_codes",
    "session_turn_off_second_factor",
    "session_sign_up_open",
    "session_sign_up",
    "files_upload",
    "notices_list",
    "notices_unread",
    "notices_read",
    "notices_read_all",
    "notices_settings",
    "notices_choose",
    "notices_set_quiet",
    "notices_test",
    "notices_send_code",
    "notices_confirm_email",
    "notices_forget_email",
    "session_forgotten_open",
    "session_forgotten",
}
"""Operations that ask for no permission: one's own sessions, second step and notices, links that are their own proof,
and files, which do nothing until they are part of something that asks for one."""

TO_STRANGERS = {
    "session_sign_out": 204,
    "session_look_at_link": 410,
    "session_use_link": 410,
    "session_second_step": 410,
    "wecom_door": 200,
    "organization_look_at_handed": 410,
    "organization_answer_handed": 410,
    "wecom_door_way": 200,
    "wecom_door_sign_in": 410,
    "session_sign_up_open": 200,
    "session_sign_up": 403,
    "session_forgotten_open": 200,
    "session_forgotten": 409,
}
"""What strangers are answered where it isn't 401: they may leave twice, hold a link or a challenge that is none, stand
before a merchant's door, learn that shops are made by the operator, and that no e-mail is sent here."""

READ_AND_NOTED = {"audit_export", "customers_export_refusals"}
"""Operations that only read, but leave a note that somebody did, and so are no GET."""

REFUSED = {401, 403, 404}

TESTED: tuple[Surface, ...] = SURFACES
"""All: those of the operator in test_operator.py, of visitors in test_visitors.py, from others in test_surfaces.py."""


@pytest.fixture
async def stranger() -> AsyncIterator[httpx2.AsyncClient]:
    async with client(application()) as opened:
        yield opened


class Findings:
    """Collects what went wrong over many requests, and how many there were."""

    def __init__(
        self, secrets: set[str], record: Callable[[str, object], None], on_purpose: set[str] | None = None
    ) -> None:
        self.secrets = secrets
        self.on_purpose = {"wecom_door_way": on_purpose or set()}
        """WeCom's own page takes the corp's id out of the address: who knows a door's address is told it."""
        self.wrong: list[str] = []
        self.cases = 0
        self.endpoints: set[str] = set()
        self._record = record

    def judge(self, operation: Operation, case: str, answer: httpx2.Response, allowed: set[int]) -> None:
        self.cases += 1
        self.endpoints.add(operation.id)
        name = f"{operation.method} {operation.path} ({case})"
        if answer.status_code not in allowed:
            self.wrong.append(f"{name}: {answer.status_code} {answer.text[:160]}")
        told = answer.text + "".join(f"{header}: {value}\n" for header, value in answer.headers.items())
        leaked = [secret for secret in self.secrets - self.on_purpose.get(operation.id, set()) if secret in told]
        if leaked:
            self.wrong.append(f"{name}: gives away {leaked[:3]}")

    def close(self, what: str) -> None:
        self._record("figure", f"{what}: {len(self.endpoints)} endpoints, {self.cases} requests")
        assert self.wrong == []


@pytest.fixture
async def findings(theirs: Merchant, record_property: Callable[[str, object], None]) -> Findings:
    return Findings(await traces_of(theirs), record_property, {theirs.desk.shop.corp_id})


def permissions_asked(dependant: Any) -> Iterator[str]:
    """The permissions that a route's dependencies check."""
    for dependency in dependant.dependencies:
        if inspect.isfunction(dependency.call):
            permission = inspect.getclosurevars(dependency.call).nonlocals.get("permission")
            if permission is not None:
                yield permission
        yield from permissions_asked(dependency)


def permission_of() -> dict[str, str]:
    """The permission that each operation asks for; operations without one are missing."""
    found: dict[str, str] = {}
    for route in routes_of(fastapi_of(application())):
        for permission in permissions_asked(route.dependant):
            found[route.operation_id] = permission
    return found


def same_for_unknown(answer: httpx2.Response) -> str:
    """The answer without what differs from request to request."""
    body = answer.json() if answer.content and "json" in answer.headers.get("content-type", "") else answer.text
    if isinstance(body, dict):
        body.pop("request_id", None)
    return json.dumps([answer.status_code, body], sort_keys=True)


def test_every_route_is_an_operation_of_the_console_or_said_to_be_public() -> None:
    app: FastAPI = fastapi_of(application())
    described = {(each.method, each.path) for surface in TESTED for each in operations(surface)}
    seen = set()
    for route in routes_of(app):
        for method in route.methods - {"HEAD"}:
            if route.path not in PUBLIC:
                assert (method, route.path) in described, f"{method} {route.path} is in no document"
                seen.add((method, route.path))
    assert seen == described


def test_every_operation_asks_for_a_permission_or_is_for_everybody() -> None:
    asked = permission_of()
    assert {each.id for each in operations()} - set(asked) == FOR_EVERYBODY_SIGNED_IN
    assert set(asked.values()) <= set(load_modules().permissions())


async def test_what_would_be_recognised_as_a_leak_is_what_the_owner_sees(theirs: Merchant, findings: Findings) -> None:
    """The other tests would find nothing if their net had holes."""
    caught = set()
    for operation in operations():
        if operation.method == "GET":
            answer = await operation.ask(theirs.ids).send(theirs.owner)
            assert answer.status_code == HTTPStatus.OK, (operation.id, answer.text)
            if any(secret in answer.text for secret in findings.secrets):
                caught.add(operation.id)
    without_data = {
        "assistant_export_knowledge",  # packed
        "assistant_import_template",
        "conversations_counts",
        "assistant_get_settings",
        "assistant_get_model",
        "assistant_list_groups",
        "channel_accounts_servicers",
        "channel_accounts_end",  # a number
        "session_second_factor",
        "notices_unread",  # a number
        "notices_settings",  # what there is to choose
        "wecom_door",  # the merchant's name
        "session_sign_up_open",
        "customers_privacy",  # a figure, and who else handles data
        "organization_app_health",  # figures
        "session_forgotten_open",
        "sms_account",  # none is set up
        "plan_look",  # figures, and the plan's name
        "organization_address_book",  # none is connected
        "organization_staff_template",
        "organization_today",  # figures
    }
    assert {each.id for each in operations() if each.method == "GET"} - caught == without_data


@pytest.mark.parametrize("cookie", [None, "x", "huitouke", "' OR 1=1"])
async def test_strangers_are_refused_everywhere(
    theirs: Merchant, stranger: httpx2.AsyncClient, findings: Findings, cookie: str | None
) -> None:
    headers = {"Cookie": f"huitouke_session={cookie}"} if cookie else {}
    for operation in operations():
        answer = await operation.ask(theirs.ids).send(stranger, **headers)
        findings.judge(operation, f"cookie {cookie}", answer, {TO_STRANGERS.get(operation.id, 401)})
    findings.close("strangers")


async def test_a_neighbours_id_is_an_id_that_never_existed(
    mine: Merchant, theirs: Merchant, findings: Findings
) -> None:
    """In every place that takes an id: refused, and in the same words as for one made up."""
    for operation in operations():
        for place in operation.places:
            if not place.has(format="uuid"):
                continue
            reached = await operation.ask_with(mine.ids, place, theirs.ids[place.name]).send(mine.owner)
            unknown = await operation.ask_with(mine.ids, place, str(NO_SUCH_ID)).send(mine.owner)
            reads = operation.method == "GET" or operation.id in READ_AND_NOTED
            filters = reads and place.where == "query" and not place.required
            findings.judge(operation, str(place), reached, {200} if filters else REFUSED)
            if filters and reached.json()["items"]:
                findings.wrong.append(f"{operation.id} {place}: {reached.text[:100]}")
            if same_for_unknown(reached) != same_for_unknown(unknown):
                findings.wrong.append(f"{operation.id} {place}: {reached.text[:150]} differs from {unknown.text[:150]}")
    findings.close("neighbour's ids")


async def test_names_that_wecom_gave_the_neighbour_open_nothing(
    mine: Merchant, theirs: Merchant, findings: Findings
) -> None:
    values = {
        "open_kfid": theirs.desk.shop.open_kfid,
        "userid": theirs.desk.shop.customer,
        "servicer_userid": theirs.desk.shop.customer,
    }
    for operation in operations():
        for place in operation.places:
            if place.name in values:
                answer = await operation.ask_with(mine.ids, place, values[place.name]).send(mine.owner)
                findings.judge(operation, str(place), answer, REFUSED | {200, 204, 409, 422, 502})
    findings.close("neighbour's names")


async def test_lists_searches_and_the_neighbours_cursors_show_ones_own_rows_only(
    mine: Merchant, theirs: Merchant, findings: Findings
) -> None:
    for operation in operations():
        if operation.method != "GET":
            continue
        findings.judge(operation, "as it is", await operation.ask(mine.ids).send(mine.owner), {200})
        for place in operation.places:
            if place.name in ("q", "group"):
                found = await operation.ask_with(mine.ids, place, theirs.word[2:20]).send(mine.owner)
                findings.judge(operation, "searched", found, {200})
                assert found.json()["items"] == []
            if place.name == "cursor":
                answer = await operation.ask_with(mine.ids, place, await cursor_of(theirs, operation)).send(mine.owner)
                findings.judge(operation, "cursor", answer, {200, 422})
    findings.close("lists")


async def cursor_of(one: Merchant, operation: Operation) -> str:
    """A cursor that the merchant's own list gives; of a list of one row, the cursor of another's."""
    asked = operation.ask(one.ids)
    asked.query["limit"] = 1
    cursor = (await asked.send(one.owner)).json()["next_cursor"]
    return cursor or (await one.owner.get("/api/staff", params={"limit": 1})).json()["next_cursor"]


@pytest.fixture
async def nobody(mine: Merchant) -> AsyncIterator[httpx2.AsyncClient]:
    """A member of staff who may do nothing at all."""
    app = application()
    resolve = access_resolver(load_modules())
    assert resolve is not None

    async def powerless(ctx: Context, user_id: Any) -> Granted | None:
        granted = await resolve(ctx, user_id)
        return replace(granted, permissions=frozenset()) if granted is not None else None

    use_resolver(powerless)
    async with signed_in(app, mine.desk.aning.sign_in_name) as opened:
        yield opened
    use_resolver(resolve)


async def test_who_may_do_nothing_is_refused_whatever_asks_for_a_permission(
    mine: Merchant, nobody: httpx2.AsyncClient, findings: Findings
) -> None:
    for operation in operations():
        if operation.id in FOR_EVERYBODY_SIGNED_IN:
            continue
        answer = await operation.ask(mine.ids).send(nobody)
        findings.judge(operation, "without permissions", answer, {403})
        assert answer.json()["type"] == "/problems/permission_missing"
    findings.close("without permissions")


async def test_an_agent_is_refused_what_agents_may_not_do(mine: Merchant, findings: Findings) -> None:
    agents = permissions_of("agent", load_modules())
    asked = permission_of()
    refused = {each.id for each in operations() if each.id in asked and asked[each.id] not in agents}
    assert len(refused) >= 20
    for operation in operations():
        if operation.id in refused:
            answer = await operation.ask(mine.ids).send(mine.agent)
            findings.judge(operation, "as an agent", answer, {403})
    findings.close("agents")


async def test_no_permission_is_told_before_whether_the_thing_exists(
    mine: Merchant, theirs: Merchant, nobody: httpx2.AsyncClient
) -> None:
    for operation in operations():
        if operation.id not in FOR_EVERYBODY_SIGNED_IN and any(place.where == "path" for place in operation.places):
            own, foreign = [await operation.ask(each.ids).send(nobody) for each in (mine, theirs)]
            assert same_for_unknown(own) == same_for_unknown(foreign)


@pytest.mark.parametrize(
    ("case", "headers"),
    [
        ("no header", {"X-Requested-With": ""}),
        ("another header", {"X-Requested-With": "XMLHttpRequest"}),
        ("foreign origin", {"Origin": "https://evil.test"}),
        ("longer origin", {"Origin": f"{ORIGIN}.evil.test"}),
        ("user in origin", {"Origin": "http://huitouke.test@evil.test"}),
        ("no origin", {"Origin": "null"}),
        ("no url", {"Origin": "http://["}),
        ("empty origin", {"Origin": ""}),
    ],
)
async def test_foreign_pages_change_nothing(
    mine: Merchant, findings: Findings, case: str, headers: dict[str, str]
) -> None:
    for operation in operations():
        if operation.method in UNSAFE:
            answer = await operation.ask(mine.ids).send(mine.owner, **headers)
            findings.judge(operation, case, answer, {403})
            assert answer.json()["type"] == "/problems/csrf_refused"
    assert (await mine.owner.get("/api/session")).status_code == HTTPStatus.OK
    findings.close(f"foreign pages, {case}")


async def test_reading_needs_no_header_and_changes_nothing(mine: Merchant) -> None:
    """A foreign page may have the browser send GETs with the cookie: so none of them may change a row."""
    before = await _audit(mine)
    for operation in operations():
        if operation.method == "GET":
            await operation.ask(mine.ids).send(mine.owner, **{"X-Requested-With": "", "Origin": "https://evil.test"})
    assert await _audit(mine) == before


async def _audit(one: Merchant) -> list[str]:
    return [entry["id"] for entry in (await one.owner.get("/api/audit")).json()["items"]]


async def test_no_answer_may_be_read_by_another_sites_page(mine: Merchant) -> None:
    for operation in operations():
        if operation.method == "GET":
            answer = await operation.ask(mine.ids).send(mine.owner, Origin="https://evil.test")
            assert not [name for name in answer.headers if name.startswith("access-control-")]
            assert answer.headers["x-content-type-options"] == "nosniff"
    preflight = await mine.owner.options("/api/staff", headers={"Access-Control-Request-Method": "POST"})
    assert (preflight.status_code, "access-control-allow-origin" in preflight.headers) == (405, False)


def test_the_console_takes_ids_in_every_place_that_is_named_like_one() -> None:
    """A text that is an id would pass the tests above unseen."""
    texts = {"object_id", "open_kfid", "corp_id", "agent_id", "userid", "servicer_userid", "wecom_userid"}
    texts |= {"access_key_id"}

    def like_an_id(place: Place) -> bool:
        return place.name == "id" or place.name.endswith(("_id", "userid", "kfid"))

    for operation in operations():
        for place in operation.places:
            if like_an_id(place):
                assert place.has(format="uuid") or place.name in texts, f"{operation.id} {place}"
