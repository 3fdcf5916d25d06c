"""The few HTTP requests of the demo's parent: readiness, and callbacks that moved with the server's port."""

import json
import urllib.error
import urllib.request
from typing import Any, Final
from urllib.parse import quote, urlsplit

from huitouke.demo.places import LOOPBACK, DemoFailedError

TIMEOUT_SECONDS: Final = 5
CALLBACK_PATH: Final = "/callbacks/"

# Proxies of the environment are passed by: everything here is on this machine.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def status_of(address: str) -> str | None:
    """The status of a GET, with the answer's beginning where it is an error; None when nothing listens yet."""
    try:
        with _opener.open(address, timeout=TIMEOUT_SECONDS) as answer:
            return str(answer.status)
    except urllib.error.HTTPError as error:
        return f"{error.code} {error.read(300).decode(errors='replace')}"
    except OSError:
        return None


def mail_server(sandbox: str) -> str:
    """Where the sandbox takes mail."""
    return str(_exchange("GET", f"{sandbox}/sandbox/mail")["smtp_url"])


def move_callbacks(sandbox: str, console: str) -> None:
    """Enters the server's present address in the sandbox's apps, when the port is another one than the last time."""
    for corp in _exchange("GET", f"{sandbox}/sandbox/state")["corps"]:
        for app in corp["apps"]:
            if app["callback"] is not None:
                _move_callback(sandbox, console, app)


def _move_callback(sandbox: str, console: str, app: dict[str, Any]) -> None:
    callback = app["callback"]
    before = urlsplit(callback["url"])
    moved = console + before.path
    if before.hostname != LOOPBACK or not before.path.startswith(CALLBACK_PATH) or callback["url"] == moved:
        return
    address = f"{sandbox}/sandbox/apps/{app['agentid']}/callback?corp_id={quote(app['corp_id'])}"
    wanted = {"url": moved, "token": callback["token"], "encoding_aes_key": callback["encoding_aes_key"]}
    saved = _exchange("PUT", address, wanted)
    if not saved["ok"]:
        raise DemoFailedError(f"The sandbox could not reach the server's callback at {moved}: {saved['error']}")


def _exchange(method: str, address: str, body: dict[str, Any] | None = None) -> Any:
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(  # noqa: S310 - an address of our own, on this machine
        address, data=content, method=method, headers={"Content-Type": "application/json"}
    )
    try:
        with _opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
            return json.load(answer)
    except OSError as error:
        raise DemoFailedError(f"The sandbox did not answer {method} {address}: {error}") from error
