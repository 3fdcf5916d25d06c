"""One call of the API: its caller, its parameters with their limits, and the list of all endpoints."""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from wechat_sandbox.entities import App
from wechat_sandbox.errors import ApiError
from wechat_sandbox.world import World

Answer = dict[str, Any] | Response
Handler = Callable[["Call"], Answer | Awaitable[Answer]]

TOKEN_CHARACTERS = re.compile(r"[0-9a-zA-Z_\-]*\Z")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`methods`: what the real one takes. `needs_token` is false for gettoken only."""

    path: str
    methods: tuple[str, ...]
    handler: Handler
    needs_token: bool = True


ENDPOINTS: dict[str, Endpoint] = {}


def endpoint(path: str, *methods: str, needs_token: bool = True) -> Callable[[Handler], Handler]:
    """Registers a handler under /cgi-bin/<path>; it gives the fields beside errcode and errmsg, or a response."""

    def register(handler: Handler) -> Handler:
        ENDPOINTS[path] = Endpoint(path, methods, handler, needs_token)
        return handler

    return register


@dataclass(slots=True)
class Call:
    """`fields`: the JSON object of a POST; `query`: the parameters of the URL. `app` is the token's app."""

    world: World
    request: Request
    ip: str
    query: dict[str, str]
    fields: dict[str, Any] = field(default_factory=dict)
    caller: App | None = None

    @property
    def app(self) -> App:
        assert self.caller is not None, "endpoint registered without token uses its app"
        return self.caller

    def text(self, name: str, *, max_bytes: int, required: bool = True, missing: int = 40058) -> str:
        """A string parameter; raises `missing` when it is absent or empty but required, 40058 when it is too long."""
        return text_in(self.fields, name, max_bytes, required, missing)

    def integer(self, name: str, default: int | None = None, minimum: int = 0, maximum: int = 2**31 - 1) -> int:
        """A whole number; raises 40058 when it is missing without a default, no number, or out of bounds."""
        value = self.fields.get(name, default)
        if isinstance(value, str) and value.isdecimal():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not minimum <= value <= maximum:
            raise ApiError(40058, f"invalid {name}")
        return value

    def texts(self, name: str, max_items: int, required: bool = True) -> list[str]:
        """A list of strings; raises 40058 when it is missing but required, too long, or holds anything else."""
        value = self.fields.get(name) or []
        good = isinstance(value, list) and len(value) <= max_items and all(isinstance(one, str) for one in value)
        if not good or (required and not value):
            raise ApiError(40058, f"invalid {name}: 1 to {max_items}")
        return list(value)

    def object(self, name: str, code: int = 40058) -> dict[str, Any]:
        """An object; raises `code` when it is missing or something else."""
        value = self.fields.get(name)
        if not isinstance(value, dict):
            raise ApiError(code, f"missing {name}")
        return value


def text_in(fields: dict[str, Any], name: str, max_bytes: int, required: bool = True, missing: int = 40058) -> str:
    """A string of at most `max_bytes` UTF-8 bytes in `fields`; raises `missing` or 40058."""
    value = fields.get(name)
    if value is None or value == "":
        if required:
            raise ApiError(missing, f"missing {name}")
        return ""
    if not isinstance(value, str):
        raise ApiError(40058, f"{name} is no string")
    if len(value.encode()) > max_bytes:
        raise ApiError(40058, f"{name} is longer than {max_bytes} bytes")
    return value


def check_name_characters(name: str, value: str) -> str:
    """Raises 40058 for characters other than 0-9 a-z A-Z _ -."""
    if not TOKEN_CHARACTERS.match(value):
        raise ApiError(40058, f"{name} holds characters other than 0-9a-zA-Z_-")
    return value


def truncate(text: str, max_bytes: int) -> str:
    """Cut to `max_bytes` of UTF-8 without splitting a character, as WeCom does with too long texts."""
    return text.encode()[:max_bytes].decode(errors="ignore")
