"""Aliyun's 短信服务 as a client meets it: signature, signature and template states, limits per number, error codes."""

import hashlib
import hmac
import re
import secrets

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from wechat_sandbox.control.common import get_world
from wechat_sandbox.sms.phones import Account
from wechat_sandbox.world import World

PER_DAY = 50
"""Of one template to one number."""

_AUTHORIZATION = re.compile(r"ACS3-HMAC-SHA256 Credential=([^,]+),SignedHeaders=([^,]+),Signature=([0-9a-f]{64})\Z")
_MOBILE = re.compile(r"1[3-9]\d{9}\Z")
_VARIABLE = re.compile(r"\$\{(\w+)\}")


class Refused(Exception):
    """The provider's code, and the HTTP status that it comes with."""

    def __init__(self, code: str, status: int = 200) -> None:
        super().__init__(code)
        self.code = code
        self.status = status


async def send_sms(request: Request) -> Response:
    """POST / with x-acs-action: SendSms."""
    world = get_world(request)
    try:
        account = _account(world, request)
        biz_id = _send(world, account, dict(request.query_params))
    except Refused as refused:
        return JSONResponse({"Code": refused.code, "Message": refused.code, "RequestId": "sandbox"}, refused.status)
    if world.dice.strikes(world.faults.api_answer_lost_probability):
        return Response("gateway timeout", 504)
    return JSONResponse({"Code": "OK", "Message": "OK", "RequestId": "sandbox", "BizId": biz_id})


def _account(world: World, request: Request) -> Account:
    """Who signed the request. Raises Refused."""
    found = _AUTHORIZATION.match(request.headers.get("authorization", ""))
    if found is None:
        raise Refused("IncompleteSignature", 400)
    key_id, names, signature = found.groups()
    account = world.sms.accounts.get(key_id)
    if account is None:
        raise Refused("InvalidAccessKeyId.NotFound", 404)
    lines = "".join(f"{name}:{request.headers.get(name, '').strip()}\n" for name in names.split(";"))
    digest = request.headers.get("x-acs-content-sha256", "")
    canonical = "\n".join(("POST", "/", request.url.query, lines, names, digest))
    to_sign = f"ACS3-HMAC-SHA256\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    right = hmac.new(account.secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    if not secrets.compare_digest(right, signature):
        raise Refused("SignatureDoesNotMatch", 400)
    return account


def _send(world: World, account: Account, query: dict[str, str]) -> str:
    phone, sign, code = query.get("PhoneNumbers", ""), query.get("SignName", ""), query.get("TemplateCode", "")
    if account.credit <= 0:
        raise Refused("isv.AMOUNT_NOT_ENOUGH")
    if account.signs.get(sign) != "approved":
        raise Refused("isv.SMS_SIGNATURE_ILLEGAL")
    text, state = account.templates.get(code, ("", ""))
    if state != "approved":
        raise Refused("isv.SMS_TEMPLATE_ILLEGAL")
    if not _MOBILE.match(phone):
        raise Refused("isv.MOBILE_NUMBER_ILLEGAL")
    params = orjson.loads(query.get("TemplateParam") or "{}")
    if any(name not in params for name in _VARIABLE.findall(text)):
        raise Refused("isv.TEMPLATE_MISSING_PARAMETERS")
    now, key = world.clock.now(), ("sms", account.key_id, code, phone)
    if world.rates.full(key, PER_DAY, 86_400, now):
        raise Refused("isv.BUSINESS_LIMIT_CONTROL")
    world.rates.count(key, 86_400, now)
    account.credit -= 1
    filled = _VARIABLE.sub(lambda name: str(params[name[1]]), text)
    return world.sms.deliver(phone, f"【{sign}】{filled}", query.get("OutId", ""), now).biz_id
