"""The frame around requests, transactions at the edge, problem documents."""

from typing import Annotated

import httpx2
import pytest
from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from sqlalchemy import text

from huitouke.kernel.access import Granted
from huitouke.kernel.context import Context
from huitouke.kernel.database import Database, transaction
from huitouke.kernel.errors import Conflict
from huitouke.kernel.http import ConsoleContext, ConsoleTransaction, requires
from huitouke.kernel.ids import new_id
from huitouke.kernel.modules import MenuEntry, Module, Modules, Permission, SurfaceRouter, assemble
from tests.support.http import HEADERS, ORIGIN, application, client, make_account, signed_in
from tests.support.world import World

STAFF_ID = new_id()
router = APIRouter(prefix="/api/shelf", tags=["shelf"])


class Book(BaseModel):
    title: str = Field(max_length=20)
    pages: int = 1


class Saved(BaseModel):
    title: str
    tenant_id: str


@router.post("/books", operation_id="shelf_add")
async def add_book(book: Book, ctx: ConsoleTransaction) -> Saved:
    if book.title == "unlucky":
        # A row that only the commit refuses.
        await ctx.session.execute(
            text("CREATE TEMPORARY TABLE later (id int PRIMARY KEY DEFERRABLE INITIALLY DEFERRED)")
        )
        await ctx.session.execute(text("INSERT INTO later VALUES (1), (1)"))
    if book.title == "taken":
        raise Conflict(name=book.title)
    if book.title == "explosive":
        raise RuntimeError("a secret detail of the inside")
    await ctx.session.execute(
        text("INSERT INTO idempotency_keys (tenant_id, scope, key, created_at) VALUES (:t, 'book', :k, '2026-01-01')"),
        {"t": ctx.tenant_id, "k": book.title},
    )
    return Saved(title=book.title, tenant_id=str(ctx.tenant_id))


@router.get("/restricted", dependencies=[requires("shelf.burn")], operation_id="shelf_restricted")
async def restricted(ctx: ConsoleTransaction) -> Saved:
    return Saved(title="never", tenant_id=str(ctx.tenant_id))


@router.get("/plain", operation_id="shelf_plain")
async def plain(context: ConsoleContext, limit: Annotated[int, Query(ge=1, le=100)] = 5) -> Saved:
    return Saved(title=f"{context.actor.id}{limit}", tenant_id=str(context.tenant_id))


async def resolver(ctx: Context, user_id: object) -> Granted | None:
    await ctx.session.execute(text("SELECT 1"))
    return Granted(STAFF_ID, "小林", "owner", frozenset({"shelf.read"}))


def shelf() -> Modules:
    return assemble(
        [
            Module(
                name="shelf",
                routers=(SurfaceRouter("console", router),),
                permissions=(Permission("shelf.read"), Permission("shelf.burn")),
                menu=(
                    MenuEntry("shelf", "/shelf", "book", "shelf.read", 2),
                    MenuEntry("fire", "/fire", "flame", "shelf.burn", 1),
                ),
                access_resolver=resolver,
            )
        ]
    )


@pytest.fixture
async def shop(world: World):
    account = await make_account(world)
    async with signed_in(application(shelf()), account.sign_in_name) as opened:
        yield opened


async def books(world: World) -> list[str]:
    async with transaction(world.context) as ctx:
        rows = await ctx.session.execute(text("SELECT key FROM idempotency_keys WHERE scope = 'book'"))
        return list(rows.scalars())


async def test_the_transaction_is_committed_before_the_response(shop: httpx2.AsyncClient, world: World):
    answer = await shop.post("/api/shelf/books", json={"title": "tea"})

    assert answer.status_code == 200
    assert answer.json() == {"title": "tea", "tenant_id": str(world.tenant_id)}
    assert await books(world) == ["tea"]


async def test_a_failing_commit_gives_an_error_and_not_a_success(shop: httpx2.AsyncClient, world: World):
    answer = await shop.post("/api/shelf/books", json={"title": "unlucky"})

    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert await books(world) == []


async def test_a_problem_rolls_back_and_is_told_in_the_persons_language(shop: httpx2.AsyncClient, world: World):
    answer = await shop.post("/api/shelf/books", json={"title": "taken"})

    document = answer.json()
    assert answer.status_code == 409
    assert document["type"] == "/problems/conflict"
    assert document["params"] == {"name": "taken"}
    assert "刷新" in document["detail"]
    assert document["request_id"] == answer.headers["x-request-id"]
    assert await books(world) == []


async def test_an_unexpected_error_leaks_nothing_and_names_its_number(shop: httpx2.AsyncClient):
    answer = await shop.post("/api/shelf/books", json={"title": "explosive"})

    assert answer.status_code == 500
    assert "secret detail" not in answer.text
    assert answer.json()["request_id"] in answer.json()["detail"]


async def test_invalid_input_names_the_field_and_not_its_value(shop: httpx2.AsyncClient):
    answer = await shop.post("/api/shelf/books", json={"title": "x" * 30, "pages": "many"})

    document = answer.json()
    assert answer.status_code == 422
    assert document["type"] == "/problems/invalid_input"
    assert document["field"] == "title"
    assert document["params"]["errors"] == [
        {"field": "title", "reason": "string_too_long"},
        {"field": "pages", "reason": "int_parsing"},
    ]
    assert "20" in document["detail"]
    assert "xxxx" not in answer.text


async def test_broken_json_is_invalid_input(shop: httpx2.AsyncClient):
    answer = await shop.post("/api/shelf/books", content=b"{", headers={"content-type": "application/json"})
    assert answer.status_code == 422
    assert answer.json()["params"]["reason"] == "json_invalid"


async def test_a_missing_permission_is_refused(shop: httpx2.AsyncClient):
    answer = await shop.get("/api/shelf/restricted")
    assert answer.status_code == 403
    assert answer.json()["params"] == {"permission": "shelf.burn"}


async def test_strangers_are_asked_to_sign_in(database: Database):
    async with client(application(shelf())) as stranger:
        answer = await stranger.get("/api/shelf/plain", headers={"Accept-Language": "en-GB,en;q=0.9"})
    assert answer.status_code == 401
    assert answer.json()["detail"] == "Please sign in first."


async def test_unknown_paths_and_methods_are_problem_documents(shop: httpx2.AsyncClient):
    assert (await shop.get("/api/nothing")).json()["type"] == "/problems/not_found"
    assert (await shop.put("/api/shelf/plain")).json()["type"] == "/problems/method_not_allowed"


async def test_a_request_without_our_header_or_from_elsewhere_changes_nothing(shop: httpx2.AsyncClient, world: World):
    bare = await shop.post("/api/shelf/books", json={"title": "a"}, headers={"X-Requested-With": ""})
    foreign = await shop.post("/api/shelf/books", json={"title": "b"}, headers={"Origin": "https://evil.example"})
    ours = await shop.post("/api/shelf/books", json={"title": "c"}, headers={"Origin": ORIGIN})

    assert [bare.status_code, foreign.status_code, ours.status_code] == [403, 403, 200]
    assert bare.json()["type"] == "/problems/csrf_refused"
    assert await books(world) == ["c"]


async def test_a_sane_request_id_is_kept_and_others_replaced(shop: httpx2.AsyncClient):
    kept = await shop.get("/api/shelf/plain", headers={"X-Request-Id": "proxy-12345678"})
    replaced = await shop.get("/api/shelf/plain", headers={"X-Request-Id": "no\tgood"})

    assert kept.headers["x-request-id"] == "proxy-12345678"
    assert replaced.headers["x-request-id"] != "no\tgood"


async def test_bodies_above_the_limit_are_refused_announced_or_not(shop: httpx2.AsyncClient):
    async def endless():
        for _ in range(40):
            yield b"[" * 65536

    announced = await shop.post("/api/shelf/books", content=b"x" * (1024 * 1024 + 1))
    streamed = await shop.post("/api/shelf/books", content=endless())

    assert [announced.status_code, streamed.status_code] == [413, 413]
    assert "1 MB" in announced.json()["detail"]
    assert streamed.json()["type"] == "/problems/too_large"


async def test_every_answer_bears_the_security_headers(shop: httpx2.AsyncClient):
    answer = await shop.get("/api/shelf/plain")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert "'unsafe-eval'" not in answer.headers["content-security-policy"]


async def test_health_and_metrics_answer(shop: httpx2.AsyncClient):
    assert (await shop.get("/health/live")).json() == {"status": "alive"}
    ready = await shop.get("/health/ready")
    assert ready.status_code == 200, ready.text
    metrics = await shop.get("/metrics")
    assert 'route="/health/ready"' in metrics.text


async def test_the_api_docs_are_served_without_foreign_hosts(shop: httpx2.AsyncClient):
    page = await shop.get("/docs")
    document = (await shop.get("/openapi.json")).json()
    assert page.status_code == 200
    assert "http" not in page.text.replace("http-equiv", "")
    assert "/api/shelf/books" in document["paths"]
    assert "4XX" in document["paths"]["/api/shelf/books"]["post"]["responses"]


async def test_the_headers_of_our_pages_are_the_ones_clients_send():
    assert HEADERS["X-Requested-With"] == "huitouke"
