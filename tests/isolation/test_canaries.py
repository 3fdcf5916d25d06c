"""Canaries in every field of the API: looked for wherever the product writes, shows, tells or keeps something.

The fields come from the documents of the surfaces, so those of a module that is added later are planted without a
change here. Each place of each operation gets a text of its own; what is found names where it was put in.
"""

import asyncio
import contextlib
import io
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest
import structlog
from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from huitouke.app import SURFACES
from huitouke.kernel.backup.archive import read_manifest
from huitouke.kernel.backup.writing import back_up
from huitouke.kernel.database import Database
from huitouke.kernel.database.ddl import APP_ROLE
from huitouke.kernel.files.stores import get_store
from huitouke.kernel.keys import get_key_ring
from huitouke.kernel.modules import Surface
from huitouke.kernel.observability import logs
from huitouke.kernel.settings import Settings
from huitouke.kernel.visitors import PAGES
from tests.isolation.neighbours import Merchant, merchant
from tests.isolation.test_operator import ids_of
from tests.isolation.test_sockets_and_files import QUIET_SECONDS, socket
from tests.modules.wechat_sandbox.shop import Sandbox
from tests.support.http import application, client, forget_guesses
from tests.support.operations import Operation, Place, operations
from tests.support.operators import make_operator, operator_client

SECRET_NAMES = re.compile(r"password|secret|token|api_key|aes_key|challenge|^code$")
"""Places that hold a secret, besides those whose schema says so (`format: password`)."""

NO_TEXT_OF_PEOPLE = {"cursor", "purpose", "state", "locale", "role", "permissions", "features", "object_kind", "door"}
"""Places that take a word of ours, or nothing else: what is planted there is refused, and told in the refusal."""

WORDS_IN_AUDIT = {"name", "shop_name", "owner_name", "title", "sign_in_name", "wecom_userid", "corp_id", "agent_id"}
WORDS_IN_AUDIT |= {"base_url", "model", "remark", "reason", "name_en", "key", "greeting", "closing", "taken"}
WORDS_IN_AUDIT |= {"ai_label", "handover_words", "unsure_text", "handover_text", "media_text", "group", "userids"}
WORDS_IN_AUDIT |= {"address", "contact_name", "contact_phone", "industry", "label", "note", "questions", "sign"}
WORDS_IN_AUDIT |= {"record_number", "owner_sign_in_name", "object_id", "object_kind", "question", "answer", "variants"}
"""Names, settings, knowledge and reasons: what was changed from what to what is what the log is for. Not what customers
and agents write, note and search for."""

WORDS_OF_OPERATORS = {"shop_name", "reason"}
"""What a shop is called, and what operators themselves write, stands in their area."""

OF_THE_SANDBOX = re.compile(r'"event":"[\d.:]+ - \\"[A-Z]+ /(cgi-bin|sandbox)/')
"""WeCom is played in this process, and writes an access log of its own; to WeCom secrets go in addresses."""

PHONE = "139"
BROKEN = "\0"
"""No text may hold it: refused with 422, with the canary around it."""


@dataclass
class Canary:
    """One text, and where it was put in."""

    text: str
    operation: str
    place: Place
    secret: bool

    def __str__(self) -> str:
        return f"{self.operation} {self.place}"


@dataclass
class Aviary:
    """What was planted, and all there is to look through afterwards, by the name of the place."""

    canaries: list[Canary] = field(default_factory=list)
    found: dict[str, str] = field(default_factory=dict)
    refusals: list[tuple[str, str]] = field(default_factory=list)
    """The operation, and its answer."""
    statuses: list[int] = field(default_factory=list)

    def make(self, operation: Operation, place: Place) -> Canary | None:
        """None where so short a text is taken that it would be found by chance."""
        secret = is_secret(place)
        number = len(self.canaries)
        text = f"canary-{number:04d}-Qv9" if secret else f"暗语{number:04d}{PHONE}{number:08d}"
        if longest(place) < len(text):
            return None
        canary = Canary(text, operation.id, place, secret)
        self.canaries.append(canary)
        return canary

    def seen_in(self, where: str, *, secret: bool | None = None) -> list[Canary]:
        """The canaries that stand there, also as JSON writes them."""
        text = self.found[where]
        return [
            one
            for one in self.canaries
            if secret in (None, one.secret) and (one.text in text or json.dumps(one.text)[1:-1] in text)
        ]

    def lines_with(self, where: str, canary: Canary) -> list[str]:
        """The lines in which it stands, with whose it is."""
        lines = (line for line in self.found[where].splitlines() if canary.text in line)
        return [f"{canary}: {line[:300]}" for line in lines]


def options(place: Place) -> Iterator[dict[str, Any]]:
    yield from (each for each in [place.schema, *place.schema.get("anyOf", ())] if each.get("type") == "string")


def takes_text(place: Place) -> bool:
    """Whether people may write there what they like."""
    return any(
        each.get("format") in (None, "password") and "enum" not in each and "const" not in each
        for each in options(place)
    )


def is_secret(place: Place) -> bool:
    return place.has(format="password") or SECRET_NAMES.search(place.name) is not None


def longest(place: Place) -> int:
    return max((int(each.get("maxLength", 10_000)) for each in options(place)), default=0)


async def plant(aviary: Aviary, who: httpx2.AsyncClient, surface: Surface, ids: dict[str, str]) -> None:
    """Every place of the surface: as it should be, twice at that, and broken."""
    for operation in operations(surface):
        for place in operation.places:
            canary = aviary.make(operation, place) if takes_text(place) and place.where != "header" else None
            if canary is None:
                continue
            for value in (canary.text, canary.text, canary.text + BROKEN):
                answer = await operation.ask_with(ids, place, value).send(who)
                aviary.statuses.append(answer.status_code)
                if answer.status_code >= 400:
                    aviary.refusals.append((operation.id, answer.text + str(answer.headers)))


@contextlib.asynccontextmanager
async def nothing_can_be_written(database: Database) -> AsyncIterator[None]:
    """A real failure in the midst of every change: the application's role may not write any more."""
    owner = await asyncpg.connect(database.urls.owner)
    try:
        rows = await owner.fetch(
            "SELECT table_name, privilege_type FROM information_schema.role_table_grants"
            " WHERE grantee = $1 AND table_schema = 'public' AND privilege_type IN ('INSERT', 'UPDATE')",
            APP_ROLE,
        )
        for row in rows:
            await owner.execute(f'REVOKE {row["privilege_type"]} ON "{row["table_name"]}" FROM {APP_ROLE}')
        try:
            yield
        finally:
            for row in rows:
                await owner.execute(f'GRANT {row["privilege_type"]} ON "{row["table_name"]}" TO {APP_ROLE}')
    finally:
        await owner.close()


@contextlib.contextmanager
def talkative() -> Iterator[io.StringIO]:
    """Everything is logged in JSON as a server does it, at the most talkative level, into this."""
    before, stream, error = structlog.get_config(), io.StringIO(), sys.stderr
    os.environ["HUITOUKE_LOG_LEVEL"], os.environ["HUITOUKE_LOG_FORMAT"] = "debug", "json"
    try:
        logs.configure(Settings())
        structlog.configure(cache_logger_on_first_use=False)
        sys.stderr = stream
        yield stream
    finally:
        sys.stderr = error
        os.environ["HUITOUKE_LOG_LEVEL"] = "warning"
        del os.environ["HUITOUKE_LOG_FORMAT"]
        structlog.configure(**before)


async def frames(connection: ClientConnection) -> str:
    """What was told on the socket until it was quiet, or was closed: a shop was suspended meanwhile."""
    told: list[str] = []
    with contextlib.suppress(ConnectionClosed, TimeoutError):
        while True:
            async with asyncio.timeout(QUIET_SECONDS):
                told.append(str(await connection.recv()))
    assert told
    return "\n".join(told)


@pytest.fixture(scope="module")
async def aviary(
    running: tuple[Sandbox, str], database: Database, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Aviary]:
    """Planted, provoked, and everything collected that is read afterwards."""
    planted = Aviary()
    async with merchant(*running) as one, merchant(*running) as neighbour, client(application()) as stranger:
        async with operator_client(application(), await make_operator()) as operator, socket(running[1], one) as own:
            people: dict[Surface, httpx2.AsyncClient] = {
                "console": one.owner,
                "operator": operator,
                "visitor": stranger,
            }
            assert (await stranger.post(f"{PAGES}/{one.ids['code']}/visit")).status_code == 200
            async with socket(running[1], neighbour) as other:
                with talkative() as log:
                    await _provoke(planted, one, people, stranger, database)
                planted.found["frames of the own socket"] = await frames(own)
                planted.found["frames of a neighbour's socket"] = await frames(other)
            lines = log.getvalue().splitlines()
            planted.found["log"] = "\n".join(line for line in lines if not OF_THE_SANDBOX.search(line))
            await _collect(planted, one, neighbour, people)
        await _keep(planted, database, tmp_path_factory.mktemp("backup"))
    yield planted
    await forget_guesses()


async def _provoke(
    aviary: Aviary,
    one: Merchant,
    people: Mapping[Surface, httpx2.AsyncClient],
    stranger: httpx2.AsyncClient,
    database: Database,
) -> None:
    for surface, who in people.items():
        await plant(aviary, who, surface, ids_of(one))
    await plant(aviary, stranger, "console", one.ids)
    restored = await people["operator"].post(f"/operator/api/tenants/{one.desk.context.tenant_id}/restore")
    assert restored.status_code == 200, restored.text  # an operator's fields are those of suspending, too
    await one.desk.work()
    await forget_guesses()
    async with nothing_can_be_written(database):
        for surface, who in people.items():
            await plant(aviary, who, surface, ids_of(one))


async def _collect(
    aviary: Aviary, one: Merchant, neighbour: Merchant, people: Mapping[Surface, httpx2.AsyncClient]
) -> None:
    aviary.found["metrics"] = (await people["visitor"].get("/metrics")).text
    aviary.found["problem documents"] = "\n".join(text for _, text in aviary.refusals)
    for name, who, surface, ids in (
        ("what the operator reads", people["operator"], "operator", ids_of(one)),
        ("what the visitor reads", people["visitor"], "visitor", one.ids),
        ("what the neighbour reads", neighbour.owner, "console", neighbour.ids),
        ("what the owner reads", one.owner, "console", one.ids),
    ):
        answers = [await each.ask(ids).send(who) for each in operations(surface) if each.method == "GET"]
        aviary.found[name] = "\n".join(answer.text for answer in answers)
    pages = [(await one.owner.get("/api/audit", params={"limit": 100})).json()]
    while pages[-1]["next_cursor"]:
        query = {"limit": 100, "cursor": pages[-1]["next_cursor"]}
        pages.append((await one.owner.get("/api/audit", params=query)).json())
    aviary.found["audit"] = json.dumps(pages, ensure_ascii=False)
    aviary.found["audit export"] = (await one.owner.post("/api/audit/exports")).text


async def _keep(aviary: Aviary, database: Database, folder: Path) -> None:
    """What lies in the database and in a backup."""
    assert database.urls.owner is not None
    owner = await asyncpg.connect(database.urls.owner)
    try:
        tables = await owner.fetch(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
            " AND table_type = 'BASE TABLE'"
        )
        for table in tables:
            name = table["table_name"]
            rows = await owner.fetch(f'SELECT to_jsonb(t)::text AS row FROM "{name}" AS t')
            aviary.found[f"table {name}"] = "\n".join(row["row"] for row in rows)
    finally:
        await owner.close()
    path = folder / "backup.tar"
    await back_up(database.urls.owner, get_key_ring(), get_store(), path, lambda _: None)
    aviary.found["manifest of the backup"] = read_manifest(path).encode().decode()


def test_enough_was_planted_and_enough_went_wrong(aviary: Aviary, record_property: Any) -> None:
    """Else there was nothing to find."""
    places = {(one.operation, str(one.place)) for one in aviary.canaries}
    record_property("figure", f"canaries: {len(places)} places, {len(aviary.statuses)} requests")
    wanted = {
        (operation.id, str(place))
        for surface in SURFACES
        for operation in operations(surface)
        for place in operation.places
        if takes_text(place) and place.where != "header" and longest(place) >= 20
    }
    assert wanted <= places
    for status in (200, 201, 401, 409, 422, 500):
        assert status in aviary.statuses, status
    log = aviary.found["log"]
    for event in ("http.request", "http.failed", "access.sign_in_refused", "work."):
        assert event in log, event


def test_the_net_has_no_holes(aviary: Aviary) -> None:
    """What people wrote is read by whom it is for."""
    seen = {one.place.name for one in aviary.seen_in("what the owner reads", secret=False)}
    assert {"name", "text", "remark", "question", "answer"} <= seen


def test_no_canary_reaches_log_metrics_or_manifest(aviary: Aviary) -> None:
    for where in ("log", "metrics", "manifest of the backup"):
        lines = [line for one in aviary.seen_in(where) for line in aviary.lines_with(where, one)]
        assert not lines, (where, lines[:5])


def test_no_secret_is_told_shown_or_kept_in_plain_words(aviary: Aviary) -> None:
    for where in aviary.found:
        assert not aviary.seen_in(where, secret=True), (where, [str(one) for one in aviary.seen_in(where, secret=True)])


def test_what_people_write_stays_with_their_shop(aviary: Aviary) -> None:
    for where in ("what the neighbour reads", "frames of a neighbour's socket"):
        assert not aviary.seen_in(where), [str(one) for one in aviary.seen_in(where)]


def test_visitors_read_what_they_wrote(aviary: Aviary) -> None:
    own = {operation.id for operation in operations("visitor")}
    assert {one.operation for one in aviary.seen_in("what the visitor reads")} <= own


def test_operators_read_nothing_of_a_shop_but_its_name(aviary: Aviary) -> None:
    own = {operation.id for operation in operations("operator")}
    seen = [one for one in aviary.seen_in("what the operator reads") if one.operation not in own]
    assert not [str(one) for one in seen if one.place.name not in WORDS_OF_OPERATORS]


def test_an_error_repeats_nothing_that_somebody_else_wrote(aviary: Aviary) -> None:
    """A refusal may name what was refused (a sign-in name that is taken), to whoever sent it."""
    by_operation = {one.text: one.operation for one in aviary.canaries}
    for operation, text in aviary.refusals:
        told = {by_operation[found] for found in re.findall(r"暗语\d{4}139\d{8}", text) if found in by_operation}
        assert told <= {operation}, (operation, text[:300])


def test_the_audit_log_holds_names_and_settings_and_nothing_that_customers_and_agents_write(aviary: Aviary) -> None:
    for where in ("audit", "audit export", "table audit_log"):
        seen = {one.place.name for one in aviary.seen_in(where, secret=False)}
        assert seen <= WORDS_IN_AUDIT, (where, seen - WORDS_IN_AUDIT)


def test_events_and_work_hold_no_words_of_people(aviary: Aviary) -> None:
    kept = [where for where in aviary.found if re.match(r"table (events|event_|work_|schedules|wakes|sign_in)", where)]
    assert len(kept) >= 3
    for where in kept:
        assert not aviary.seen_in(where), (where, [str(one) for one in aviary.seen_in(where)])
