"""Takes each request under /cgi-bin: faults first, then token, address, rights, and the endpoint itself."""

import asyncio
import inspect
from email.utils import formatdate
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from wechat_sandbox.control.common import get_world
from wechat_sandbox.entities import AccessToken
from wechat_sandbox.errors import ApiError
from wechat_sandbox.wecom import (  # noqa: F401 (importing registers their endpoints)
    app_messages,
    contacts,
    kf_accounts,
    kf_messages,
    media,
    oauth,
    tokens,
    webhook,
)
from wechat_sandbox.wecom.calls import ENDPOINTS, Call, Endpoint
from wechat_sandbox.world import World

CALLS_PER_MINUTE = 10_000
HINT_HEADER = "X-Sandbox-Hint"

# Paths that are told about but do not exist; the hint is for the reader, the 404 is the answer.
INVENTED = {
    "externalcontact/send_msg": "No WeCom API sends a private message to a customer as an employee.",
    "externalcontact/welcome_msg/add": "externalcontact/send_welcome_msg exists.",
    "externalcontact/add_join_way": "externalcontact/groupchat/add_join_way exists.",
    "externalcontact/groupchat/update": "Customer groups cannot be changed by API.",
    "message/receive": "Messages come to your callback URL.",
    "msgaudit/get_chat_data": "Archived messages come through the Finance SDK only.",
}

# What the 通讯录同步 secret may read; details are refused to it since 2022-08-15 (path/90201, 90208), the rest was
# never its business.
IDS_OF_CONTACTS = ("user/list_id", "department/simplelist", "getcallbackip", "get_api_domain_ip")
DETAILS_OF_CONTACTS = ("user/get", "user/list", "user/simplelist", "department/list", "department/get")

PATH = "/cgi-bin/{path:path}"
METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH"]


async def dispatch(request: Request) -> Response:
    """Any endpoint. Errors are HTTP 200 with an errcode, as in reality; unknown paths are 404."""
    world = get_world(request)
    path = str(request.path_params["path"])
    known = ENDPOINTS.get(path)
    if known is None:
        headers = {HINT_HEADER: INVENTED[path]} if path in INVENTED else {}
        return Response("404 page not found", 404, headers=headers, media_type="text/plain")
    ip = world.faults.caller_address or (request.client.host if request.client else "0.0.0.0")  # noqa: S104 (shown)
    call = Call(world, request, ip, dict(request.query_params))
    try:
        if (failure := await _strike(world, path)) is not None:
            return failure
        answer = await _serve(call, known)
    except ApiError as error:
        return _dated(_json(error.body(ip, world.clock.now())), world)
    if _concerned(world, path) and world.dice.strikes(world.faults.api_answer_lost_probability):
        return Response("gateway timeout", 504, media_type="text/plain")
    return _dated(answer, world)


async def _serve(call: Call, known: Endpoint) -> Response:
    method = call.request.method
    if method not in known.methods:
        raise ApiError(43001 if known.methods == ("GET",) else 43002)
    if known.needs_token:
        _authenticate(call)
        _check_rights(call, known.path)
    if method == "POST" and not call.request.headers.get("content-type", "").startswith("multipart/"):
        call.fields = await _fields(call.request)
    result = known.handler(call)
    if inspect.isawaitable(result):
        result = await result
    if isinstance(result, Response):
        return result
    return _json({"errcode": 0, "errmsg": "ok", **result})


def _authenticate(call: Call) -> None:
    """Raises 41001, 40014, 42001, 50003 or 60020 (path/91039)."""
    text = call.query.get("access_token", "")
    if not text:
        raise ApiError(41001)
    token = call.world.tokens.get(text)
    if token is None or token.revoked:
        raise ApiError(40014)
    if call.world.clock.now() >= token.expires_at:
        raise ApiError(42001)
    app = call.world.apps.get((token.corp_id, token.agentid))
    if app is None:
        raise ApiError(40014)
    if not app.enabled:
        raise ApiError(50003)
    if app.trusted_ips and call.ip not in app.trusted_ips:
        raise ApiError(60020)
    _wear_out(call.world, token)
    call.caller = app


def _wear_out(world: World, token: AccessToken) -> None:
    limit = world.faults.token_calls
    if limit is None:
        return
    token.calls += 1
    token.revoked = token.calls >= limit
    world.save(token)


def _check_rights(call: Call, path: str) -> None:
    if call.app.contact_sync and path not in IDS_OF_CONTACTS:
        raise ApiError(48009 if path in DETAILS_OF_CONTACTS else 48002)
    if path == "user/list_id" and not call.app.contact_sync:
        raise ApiError(48002)
    if path.startswith("kf/") and not call.app.kf_permission:
        raise ApiError(48002)
    if call.world.faults.api_frequency_limits:
        _count(call, path)


def _count(call: Call, path: str) -> None:
    """10,000 calls a minute per corp and API (path/90312)."""
    rates, now = call.world.rates, call.world.clock.now()
    key = ("api", call.app.corp_id, path)
    if rates.full(key, CALLS_PER_MINUTE, 60, now):
        raise ApiError(45009)
    rates.count(key, 60, now)


async def _fields(request: Request) -> dict[str, Any]:
    """The JSON object of the body; an empty body is an empty object. Raises 47001."""
    data = await request.body()
    if not data.strip():
        return {}
    try:
        fields = orjson.loads(data)
    except orjson.JSONDecodeError:
        raise ApiError(47001, "Warning: wrong json format.") from None
    if not isinstance(fields, dict):
        raise ApiError(47001, "Warning: wrong json format.")
    return fields


def _dated(response: Response, world: World) -> Response:
    """With the time of the sandbox's clock, which may have been moved."""
    response.headers["Date"] = formatdate(world.clock.now(), usegmt=True)
    return response


def _concerned(world: World, path: str) -> bool:
    prefixes = world.faults.api_paths
    return not prefixes or any(path.startswith(prefix) for prefix in prefixes)


async def _strike(world: World, path: str) -> Response | None:
    """The faults that come before a call is looked at; raises -1 and 45009."""
    if not _concerned(world, path):
        return None
    faults, dice = world.faults, world.dice
    if faults.api_delay_ms:
        await asyncio.sleep(faults.api_delay_ms / 1_000)
    if dice.strikes(faults.api_5xx_probability):
        return Response("bad gateway", 502, media_type="text/plain")
    if dice.strikes(faults.api_garbled_probability):
        return Response("<html><body>Sign in to the network</body></html>", media_type="text/html")
    if faults.api_errcode is not None:
        raise ApiError(faults.api_errcode)
    if dice.strikes(faults.api_busy_probability):
        raise ApiError(-1)
    if dice.strikes(faults.api_rate_limit_probability):
        raise ApiError(45009)
    return None


def _json(body: dict[str, Any]) -> Response:
    return Response(orjson.dumps(body), media_type="application/json; charset=UTF-8")
