"""The application as a process: start, refusals, roles, the built console, key rotation."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx2
import pytest
from pydantic import SecretStr
from sqlalchemy import text

from huitouke import app as app_module
from huitouke.app import create_app
from huitouke.kernel import clock, keys
from huitouke.kernel.callbacks import service as callbacks
from huitouke.kernel.database import Database, DatabaseUrls, configure, current, transaction
from huitouke.kernel.ids import new_id
from huitouke.kernel.key_rotation import reseal_everything
from huitouke.kernel.keys import Secret
from huitouke.kernel.settings import get_settings
from huitouke.services import Role
from tests.modules.kernel.test_http import shelf
from tests.support.http import ORIGIN, client, started
from tests.support.world import World


@pytest.fixture
def a_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "console"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>回头客</title>", encoding="utf-8")
    (folder / "favicon.svg").write_text("<svg/>")
    (folder / "assets" / "app-4f2a.js").write_text("console.log(1)")
    (folder / "assets" / "app-4f2a.js.br").write_bytes(b"brotli")
    (folder / "assets" / "app-4f2a.js.gz").write_bytes(b"gzip")
    monkeypatch.setattr(app_module, "WEB_FOLDER", tmp_path)
    return folder


@pytest.fixture
async def browser(database: Database, a_build: Path) -> AsyncIterator[httpx2.AsyncClient]:
    async with client(create_app(get_settings(), shelf())) as opened:
        yield opened


async def test_every_path_of_the_console_is_its_page(browser: httpx2.AsyncClient):
    for path in ("/", "/inbox/123", "/index.html"):
        answer = await browser.get(path)
        assert answer.status_code == 200
        assert "回头客" in answer.text
        assert answer.headers["cache-control"] == "no-cache"
        assert "default-src 'self'" in answer.headers["content-security-policy"]


async def test_the_icon_is_kept_for_a_day(browser: httpx2.AsyncClient):
    assert (await browser.get("/favicon.svg")).headers["cache-control"] == "public, max-age=86400"


async def test_hashed_files_are_kept_for_ever_and_come_compressed(browser: httpx2.AsyncClient):
    async with browser.stream("GET", "/assets/app-4f2a.js", headers={"Accept-Encoding": "gzip, br"}) as brotli:
        raw = b"".join([chunk async for chunk in brotli.aiter_raw()])
    plain = await browser.get("/assets/app-4f2a.js", headers={"Accept-Encoding": "identity"})

    assert (raw, brotli.headers["content-encoding"]) == (b"brotli", "br")
    assert plain.text == "console.log(1)"
    assert plain.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert plain.headers["content-type"].startswith("text/javascript")
    assert plain.headers["vary"] == "Accept-Encoding"


async def test_what_the_browser_has_is_not_sent_again(browser: httpx2.AsyncClient):
    etag = (await browser.get("/")).headers["etag"]
    assert (await browser.get("/", headers={"If-None-Match": etag})).status_code == 304


@pytest.mark.parametrize(
    "path", ["/assets/gone-1.js", "/api/nothing", "/files/", "/robots.txt", "/assets/../../app.py", "/testing/nothing"]
)
async def test_what_is_no_page_is_not_found(browser: httpx2.AsyncClient, path: str):
    answer = await browser.get(path)
    assert answer.status_code == 404
    assert "回头客" not in answer.text


async def test_without_a_build_the_page_says_what_to_do(database: Database, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(app_module, "WEB_FOLDER", tmp_path)
    async with client(create_app(get_settings(), shelf())) as opened:
        answer = await opened.get("/")
    assert answer.status_code == 404
    assert "make web" in answer.text


async def test_a_process_with_all_roles_starts_is_ready_and_stops(database: Database):
    app = create_app(get_settings(), shelf(), [Role.WORK, Role.REALTIME])
    async with client(app) as opened, started(app):
        ready = (await opened.get("/health/ready")).json()
        assert ready["checks"]["work"] == "ok"
        unknown = await opened.get(f"/callbacks/wecom/{'0' * 32}")
        assert unknown.status_code == 404


async def test_a_role_that_owns_tables_is_refused_with_a_sentence(database: Database):
    before = current()
    owner = before.urls.owner
    assert owner is not None
    app = create_app(get_settings(), shelf(), urls=DatabaseUrls(owner, owner))
    try:
        with pytest.raises(AssertionError, match="owns tables"):
            async with started(app):
                pass
    finally:
        configure(before)


async def test_a_database_that_is_away_is_told_by_readiness_and_not_by_liveness(database: Database):
    before = current()
    configure(Database(DatabaseUrls("postgresql://nobody@127.0.0.1:9/x", "postgresql://nobody@127.0.0.1:9/x")))
    try:
        async with client(create_app(get_settings(), shelf())) as opened:
            ready, live = await opened.get("/health/ready"), await opened.get("/health/live")
            asked = await opened.post("/api/session", json={"sign_in_name": "x", "password": "y"})
    finally:
        configure(before)
    assert (asked.status_code, asked.json()["type"]) == (503, "/problems/database_away")
    assert ready.status_code == 503
    assert ready.json()["params"]["checks"]["database"] != "ok"
    assert live.status_code == 200


async def test_metrics_are_for_this_machine_or_who_has_the_token(database: Database):
    open_settings = get_settings()
    guarded = open_settings.model_copy(update={"metrics_token": SecretStr("t0ken")})
    async with client(create_app(guarded, shelf())) as opened:
        assert (await opened.get("/metrics")).status_code == 404
        allowed = await opened.get("/metrics", headers={"Authorization": "Bearer t0ken"})
    assert allowed.status_code == 200
    assert "tenant_id=" not in allowed.text.split("# HELP huitouke_http_request_seconds", 1)[1].split("# HELP", 1)[0]

    transport = httpx2.ASGITransport(app=create_app(open_settings, shelf()), client=("203.0.113.9", 1))
    async with httpx2.AsyncClient(transport=transport, base_url=ORIGIN) as stranger:
        assert (await stranger.get("/metrics")).status_code == 404


async def test_the_clock_can_be_moved_in_tests_alone(database: Database):
    settings = get_settings()
    assert settings.testing
    try:
        async with client(create_app(settings, shelf())) as opened:
            moved = await opened.post("/testing/clock", json={"offset_seconds": 3600})
        assert moved.status_code == 200
        assert clock.offset_seconds() == 3600
        production = settings.model_copy(update={"testing": False})
        async with client(create_app(production, shelf())) as opened:
            assert (await opened.post("/testing/clock", json={"offset_seconds": 60})).status_code == 404
        assert clock.offset_seconds() == 3600
    finally:
        async with client(create_app(settings, shelf())) as opened:
            await opened.post("/testing/clock", json={"offset_seconds": 0})


async def test_rotation_seals_everything_anew_and_every_secret_survives(world: World):
    async with transaction(world.context) as ctx:
        endpoint = await callbacks.create_endpoint(ctx, "wecom", new_id(), "ww1234567890abcdef")
    ring = keys.get_key_ring().with_new_first()

    await reseal_everything(ring)

    async with transaction(world.context) as ctx:
        row = (
            await ctx.session.execute(
                text("SELECT token_sealed, aes_key_sealed FROM callback_endpoints WHERE id = :id"), {"id": endpoint.id}
            )
        ).one()
    assert row.token_sealed.startswith(f"v1.{ring.first_kid}.")
    place = keys.place(world.tenant_id, "callback_endpoints", "token_sealed", endpoint.id)
    assert ring.without_old().unseal(place, row.token_sealed) == Secret(endpoint.token.reveal())
    # Back to the process's own ring, which the other tests of this worker use.
    await reseal_everything(keys.KeyRing((ring.kids[1], ring.kids[0]), (ring._keys[1], ring._keys[0])))
