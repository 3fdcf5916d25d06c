"""Watches a page while a journey goes on: errors in its console and requests that fail are failures of the journey."""

import re

from playwright.async_api import ConsoleMessage, Error, Page, Request, Response

NOBODY_SIGNED_IN = re.compile(r"401 GET .*/api/session$")
"""How the console learns that nobody is signed in."""
REPORTED_BY_RESPONSE = "Failed to load resource"
TAKEN_BACK = "net::ERR_ABORTED"
"""The page itself ended the request: it went elsewhere, or a newer question took its place."""


class Watch:
    """What went wrong in one page and was not expected."""

    def __init__(self, page: Page) -> None:
        self._expected: list[re.Pattern[str]] = [NOBODY_SIGNED_IN]
        self._seen: list[str] = []
        page.on("console", self._on_console)
        page.on("pageerror", self._on_error)
        page.on("requestfailed", self._on_request_failed)
        page.on("response", self._on_response)

    def expects(self, *patterns: str) -> None:
        """These belong to the journey: `409 POST .*/take`, `WebSocket connection`, `net::ERR_INTERNET_DISCONNECTED`."""
        self._expected += [re.compile(pattern) for pattern in patterns]

    @property
    def problems(self) -> list[str]:
        return [one for one in self._seen if not any(pattern.search(one) for pattern in self._expected)]

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and REPORTED_BY_RESPONSE not in message.text:
            self._seen.append(f"console: {message.text} ({message.location.get('url', '')})")

    def _on_error(self, error: Error) -> None:
        self._seen.append(f"uncaught: {error.message}")

    def _on_request_failed(self, request: Request) -> None:
        reason = request.failure or "failed"
        if reason != TAKEN_BACK:
            self._seen.append(f"{reason} {request.method} {request.url}")

    def _on_response(self, response: Response) -> None:
        if response.status >= 400:
            self._seen.append(f"{response.status} {response.request.method} {response.url}")
