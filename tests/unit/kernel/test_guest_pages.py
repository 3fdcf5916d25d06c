"""The files of the chat page: one document for every code, a policy of its own, nothing of the console."""

from pathlib import Path

import httpx2
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from huitouke.kernel.http.frame import RequestFrame
from huitouke.kernel.http.guest_pages import GuestPages, guest_headers

ORIGIN = "http://shop.test"


async def console(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse("the console")(scope, receive, send)


@pytest.fixture
async def browser(tmp_path: Path) -> httpx2.AsyncClient:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("the page")
    (tmp_path / "assets/page-1a2b.js").write_text("the script")
    app = RequestFrame(GuestPages(tmp_path, console, "https://shop.test"))
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url=ORIGIN)


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/c/abcdefghjk", 200, "the page"),
        ("/c/assets/page-1a2b.js", 200, "the script"),
        ("/c/assets/other.js", 404, None),
        ("/c/ABC", 404, None),
        ("/c/", 404, None),
        ("/c/../index.html", 200, "the console"),
        ("/c", 200, "the console"),
        ("/conversations", 200, "the console"),
    ],
)
async def test_what_stands_where(browser: httpx2.AsyncClient, path: str, status: int, body: str | None) -> None:
    answer = await browser.get(path)
    assert answer.status_code == status
    assert body is None or answer.text == body


async def test_nothing_is_changed_here(browser: httpx2.AsyncClient) -> None:
    assert (await browser.post("/c/abcdefghjk")).status_code == 405


async def test_the_policy_lets_in_its_own_files_and_the_pages_socket(browser: httpx2.AsyncClient) -> None:
    answer = await browser.get("/c/abcdefghjk")
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")
    assert "connect-src 'self' wss://shop.test;" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-robots-tag"] == "noindex"


def test_without_https_the_socket_has_none_either() -> None:
    assert "ws://127.0.0.1:8000" in guest_headers("http://127.0.0.1:8000")["Content-Security-Policy"]
