"""The callback kind `wecom`: what WeCom pushes to an app's address (path/90930), verified, decrypted and named."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from huitouke.kernel.callbacks import BadCallback, Endpoint, Opened
from huitouke.kernel.modules import load_modules
from huitouke.modules.organization.service.event_routes import EVENT_ROUTES, WecomEventRoute
from huitouke.wechat.crypto import CallbackCrypto
from huitouke.wechat.errors import CallbackError
from huitouke.wechat.xml import parse_xml

CRYPTO_CACHE: Final = 1_024
"""Endpoints whose key schedule a process keeps."""

MAX_EVENT_CHARACTERS: Final = 64


class WecomCallbacks:
    """One address per app. The key of the wake-up is the account, so that a flood of callbacks is one run."""

    name = "wecom"

    def verify(self, endpoint: Endpoint, query: Mapping[str, str]) -> bytes:
        """The decrypted echo, to be answered within a second (path/90930). Raises BadCallback."""
        try:
            echo = _crypto(endpoint).verify_url(*_signed(query), query.get("echostr", ""))
        except CallbackError as error:
            raise BadCallback(error.reason) from error
        return echo.encode()

    def open(self, endpoint: Endpoint, query: Mapping[str, str], body: bytes) -> Opened:
        """The plain XML with its event's name and the runner to wake. Raises BadCallback."""
        try:
            plain = _crypto(endpoint).decrypt(*_signed(query), body)
            fields = {name: value for name, value in parse_xml(plain).items() if isinstance(value, str)}
        except CallbackError as error:
            raise BadCallback(error.reason) from error
        event = (fields.get("Event") or fields.get("MsgType") or "")[:MAX_EVENT_CHARACTERS]
        route = _routes().get(event)
        key = _key(route, fields, endpoint) if route is not None else None
        if route is None or key is None:
            return Opened(str(endpoint.reference_id), plain, None, event)
        return Opened(key, plain, (route.runner, key), event)


def _key(route: WecomEventRoute, fields: Mapping[str, str], endpoint: Endpoint) -> str | None:
    return str(endpoint.reference_id) if route.key is None else route.key(fields)


def _signed(query: Mapping[str, str]) -> tuple[str, str, str]:
    return query.get("msg_signature", ""), query.get("timestamp", ""), query.get("nonce", "")


def _crypto(endpoint: Endpoint) -> CallbackCrypto:
    return _cached_crypto(endpoint.token.reveal(), endpoint.aes_key.reveal(), endpoint.receive_id)


@lru_cache(maxsize=CRYPTO_CACHE)
def _cached_crypto(token: str, aes_key: str, receive_id: str) -> CallbackCrypto:
    return CallbackCrypto(token, aes_key, receive_id)


@lru_cache(maxsize=1)
def _routes() -> Mapping[str, WecomEventRoute]:
    return {route.event: route for route in load_modules().extensions(EVENT_ROUTES)}
