"""Whatever a stranger sends to whichever endpoint: never a 5xx, always an answer in the shape of our errors."""

import base64
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import httpx2
import pytest

from huitouke.kernel.database import Database
from tests.isolation.neighbours import merchant
from tests.modules.wechat_sandbox.shop import Sandbox
from tests.support.http import application, client, failed_outside, forget_guesses, signed_in_client
from tests.support.operations import NO_SUCH_ID, Operation, Place, operations
from tests.support.world import make_world

PROBLEM = "application/problem+json"
IDS = dict.fromkeys(
    (place.name for operation in operations() for place in operation.places if place.has(format="uuid")), NO_SUCH_ID
) | {"purpose": "message_file", "agent_id": "1000002", "base_url": "http://127.0.0.1:1/v1", "locale": "zh-CN"}

TEXTS = {
    "empty": "",
    "blank": " \t\r\n\u3000\u00a0",
    "null character": "a\0b",
    "right to left": "\u202ecod.exe\u2066",
    "emoji": "👩‍👩‍👧‍👦🏳️‍🌈",
    "four bytes": "𠮷𡈽",
    "combining": "e" + "\u0301" * 200,
    "no characters": "\ufeff\ufffe\uffff",
    "sql": "' OR 1=1; --",
    "wildcards": "%_\\%",
    "template": "{name}{0}{{%s%n${x}",
    "markup": "<script>alert(1)</script>]]>",
    "header": "a\r\nSet-Cookie: x=1",
    "path": "../../../../etc/passwd",
    "long": "长" * 5_000,
}
NUMBERS: dict[str, Any] = {
    "negative": -1,
    "zero": 0,
    "beyond int4": 2**31,
    "beyond int8": 2**63,
    "enormous": 10**400,
    "fraction": 1.5,
    "tiny": 5e-324,
    "huge": 1.7e308,
}
WRONG_TYPES: dict[str, Any] = {
    "null": None,
    "true": True,
    "number": 7,
    "text": "x",
    "list": [],
    "list of lists": [[[]]],
    "object": {},
    "proto": {"__proto__": {"x": 1}, "": None},
}
BAD_IDS = ["", "x", "0" * 5_000, "{" + str(NO_SUCH_ID) + "}", f"{NO_SUCH_ID}x", "🙂", "\0", "../", "%2e%2e"]
RAW_BODIES = {
    "empty": b"",
    "not json": b"{",
    "null": b"null",
    "list": b"[]",
    "text": b'"x"',
    "infinity": b'{"a":Infinity}',
    "exponent": b"1e999999",
    "digits": b'{"a":' + b"9" * 5_000 + b"}",
    "deep lists": b"[" * 200_000,
    "deep objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "lone surrogate": b'{"a":"\\ud800"}',
    "surrogate key": b'{"\\udfff":1}',
    "twice": b'{"text":"a","text":"b","text":null}',
    "latin": '{"text":"é"}'.encode("latin-1"),
    "utf-16": '{"text":"é"}'.encode("utf-16"),
    "binary": bytes(range(256)),
}
CONTENT_TYPES = [
    "",
    "text/plain",
    "application/xml",
    "application/json; charset=utf-7",
    "application/json;" + "x" * 4_000,
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "multipart/form-data; boundary=",
    "multipart/form-data; boundary=x",
    "image/png\u00ff",
]


def cursors() -> Iterator[str]:
    """Cursors that no list made, some of them well-formed."""
    yield from ("", "x", "=", "====", "*", "a" * 512, "a" * 513, "\0", "é")
    moment, id = "2026-05-01T12:30:00+00:00", str(NO_SUCH_ID)
    for values in (
        None, [], {}, [None], [None, None], [id], [1], ["x", id], [moment, id], [moment[:19], id], [moment, None],
        ["9999-12-31T23:59:59-23:59", id], ["0001-01-01T00:00:00+23:59", id], [10**30, id], [1e308], [[], {}], [True],
        [moment, id, id],
    ):  # fmt: skip
        yield base64.urlsafe_b64encode(json.dumps(values).encode()).decode()


@pytest.fixture(autouse=True)
async def others_are_not_locked_out(database: Database) -> AsyncIterator[None]:
    yield
    await forget_guesses()


@pytest.fixture(scope="module")
async def owner(database: Database) -> AsyncIterator[httpx2.AsyncClient]:
    async with signed_in_client(await make_world()) as opened:
        yield opened


@pytest.fixture
async def stranger() -> AsyncIterator[httpx2.AsyncClient]:
    async with client(application()) as opened:
        yield opened


def judged(answer: httpx2.Response, what: str) -> list[str]:
    """What is wrong with the answer; empty when nothing is."""
    if answer.status_code >= 500 and not failed_outside(answer):
        return [f"{what}: {answer.status_code} {answer.text[:200]}"]
    if answer.status_code < 400 or not answer.content:
        return []
    if answer.headers.get("content-type") != PROBLEM:
        return [f"{what}: {answer.status_code} is no problem document but {answer.headers.get('content-type')}"]
    document = answer.json()
    if (
        document["status"] != answer.status_code
        or not document["detail"]
        or "{" in document["detail"].replace(TEXTS["template"], "")
    ):
        return [f"{what}: {document}"]
    return []


def hostile_values(place: Place) -> Iterator[tuple[str, Any]]:
    """What to try in that place. Bodies take any type, the rest only text."""
    if place.name == "cursor":
        yield from ((f"cursor {cursor[:20]!r}", cursor) for cursor in cursors())
    if place.has(format="uuid"):
        yield from ((f"id {bad[:12]!r}", bad) for bad in BAD_IDS if place.where == "body" or bad not in ("", "../"))
    elif place.has(type="string") or place.where != "body":
        yield from TEXTS.items()
    if place.has(type="integer") or place.has(type="number"):
        yield from NUMBERS.items()
    if place.where == "body":
        yield from WRONG_TYPES.items()


def sendable(place: Place, value: Any) -> bool:
    """Clients refuse line ends and other control characters in headers; so do servers, before we see them."""
    return place.where != "header" or (str(value).isprintable() and str(value).isascii())


def about(*methods: str) -> list[Operation]:
    # Signing out would end the client's own session.
    return [each for each in operations() if each.id != "session_sign_out" and (not methods or each.method in methods)]


async def try_everything(owner: httpx2.AsyncClient, ids: Mapping[str, object]) -> list[str]:
    """Every hostile value in every place of every request; gives what was wrong."""
    wrong: list[str] = []
    for operation in about():
        for place in operation.places:
            for name, value in hostile_values(place):
                if sendable(place, value):
                    answer = await operation.ask_with(ids, place, value).send(owner)
                    wrong += judged(answer, f"{operation.method} {operation.path} {place} = {name}")
    return wrong


async def test_no_value_in_any_place_of_any_request_brings_a_server_error(owner: httpx2.AsyncClient) -> None:
    assert await try_everything(owner, IDS) == []


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_nor_does_it_where_the_ids_are_right_and_the_value_goes_further(running: tuple[Sandbox, str]) -> None:
    async with merchant(*running) as shop:
        assert await try_everything(shop.owner, {**IDS, **shop.ids}) == []


async def test_no_body_brings_a_server_error(owner: httpx2.AsyncClient) -> None:
    wrong: list[str] = []
    for operation in about("POST", "PUT", "PATCH"):
        asked = operation.ask(IDS)
        for name, body in RAW_BODIES.items():
            headers = {"Content-Type": "application/json"}
            answer = await owner.request(asked.method, asked.path, params=asked.query, content=body, headers=headers)
            wrong += judged(answer, f"{operation.method} {operation.path} with {name}")
    assert wrong == []


@pytest.mark.parametrize("path", ["/api/knowledge/entries", "/api/files?purpose=message_file", "/api/session"])
async def test_no_content_type_brings_a_server_error(owner: httpx2.AsyncClient, path: str) -> None:
    wrong: list[str] = []
    for content_type in CONTENT_TYPES:
        for body in (b"", b'{"question":"q","answer":"a"}', b"--x\r\n\r\n", b"--x\r\n" * 2_000, b"a=b&" * 5_000):
            headers = {"Content-Type": content_type.encode("latin-1")}
            wrong += judged(await owner.post(path, content=body, headers=headers), f"{content_type[:30]} {body[:9]!r}")
    assert wrong == []


async def test_unreadable_bodies_are_refused_and_not_guessed(owner: httpx2.AsyncClient) -> None:
    for name, body in RAW_BODIES.items():
        answer = await owner.post("/api/knowledge/entries", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code in (400, 422), (name, answer.text)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Origin", "http://["),
        ("Origin", "null"),
        ("Origin", "http://huitouke.test:99999999999"),
        ("Content-Length", "\u00b2"),
        ("Content-Length", "9" * 5_000),
        ("Accept-Language", "en;q=nan,zh;q=1e999,*;q=x," + "a," * 3_000),
        ("X-Request-Id", "a\u00ff" * 40),
        ("Cookie", "huitouke_session=\u00ff; huitouke_session=" + "a" * 5_000),
        ("Cookie", '"' + ";" * 3_000),
        ("Host", "[::"),
        ("User-Agent", "\u00ff" * 5_000),
        ("Range", "bytes=" + "9" * 5_000 + "-"),
        ("If-None-Match", "\u00ff"),
    ],
)
async def test_no_header_brings_a_server_error(stranger: httpx2.AsyncClient, name: str, value: str) -> None:
    wrong: list[str] = []
    for method, path in (("GET", "/api/session"), ("POST", "/api/session"), ("GET", "/"), ("GET", "/files/x?token=x")):
        answer = await stranger.request(
            method, path, content=b"{}" if method == "POST" else None, headers={name: value.encode("latin-1")}
        )
        wrong += judged(answer, f"{method} {path}")
        assert answer.headers["x-request-id"].isascii()
    assert wrong == []


@pytest.mark.parametrize(
    "path",
    [
        "/%00",
        "/%ff%fe",
        "/..%2f..%2f..%2fetc%2fpasswd",
        "/assets/..%2f..%2f__init__.py",
        "/api//staff",
        "/api/staff/",
        "/api/customers/?q=" + "a" * 60_000,
        "/api/customers?" + "&".join(f"q{n}=x" for n in range(3_000)),
        "/api/customers?q=%ed%a0%80",
        "/api/customers?q=%ff",
        "/docs/..%2fapi_docs.py",
        "/openapi/..json",
        "/health/..",
        f"/files/{NO_SUCH_ID}?token={'%00' * 20}",
        f"/files/{NO_SUCH_ID}?token={'A' * 200}",
    ],
)
async def test_no_path_or_query_brings_a_server_error_or_a_file(owner: httpx2.AsyncClient, path: str) -> None:
    for method in ("GET", "HEAD", "POST", "DELETE", "OPTIONS", "TRACE", "WHATEVER"):
        answer = await owner.request(method, path)
        assert judged(answer, f"{method} {path[:50]}") == []
        assert "root:" not in answer.text
        assert "import " not in answer.text.split("<script", maxsplit=1)[0]


async def test_a_redirect_never_leads_to_the_host_that_a_request_named(owner: httpx2.AsyncClient) -> None:
    answer = await owner.get("/api/customers/", headers={"Host": "evil.test"})
    assert (answer.status_code, "location" in answer.headers) == (404, False)


async def test_an_idempotency_key_is_8_to_100_characters(owner: httpx2.AsyncClient) -> None:
    path = f"/api/conversations/{NO_SUCH_ID}/messages"
    for key, status in (("x" * 7, 422), ("x" * 8, 404), ("x" * 100, 404), ("x" * 101, 422), ("", 422)):
        answer = await owner.post(path, json={"text": "hi"}, headers={"Idempotency-Key": key})
        assert answer.status_code == status, (key, answer.text)


@pytest.mark.parametrize(
    ("disposition", "name"),
    [
        ('form-data; name="file"; filename="a\0b.txt"', "ab.txt"),
        ('form-data; name="file"; filename="..\\..\\x\u202e.txt"', "x.txt"),
        ('form-data; name="file"; filename=""', "file"),
        ('form-data; name="file"', None),
        ('form-data; filename="x"', None),
        ('attachment; name="file"; filename="a.txt"', "a.txt"),
        ('form-data; name="file"; filename="' + "a" * 30_000 + '"', None),
    ],
)
async def test_a_forms_headers_are_as_untrusted_as_the_rest(
    owner: httpx2.AsyncClient, disposition: str, name: str | None
) -> None:
    body = f"--x\r\nContent-Disposition: {disposition}\r\n\r\nplain words\r\n--x--\r\n".encode()
    answer = await owner.post(
        "/api/files?purpose=message_file", content=body, headers={"Content-Type": "multipart/form-data; boundary=x"}
    )
    assert judged(answer, disposition[:60]) == []
    if name is None:
        assert answer.status_code in (400, 422)
    else:
        assert (answer.status_code, answer.json()["name"]) == (201, name)
