"""Aliyun's 短信服务: SendSms (2017-05-25), signed with ACS3-HMAC-SHA256 (V3 版本请求体&签名机制).

A number and what it is told travel in the address, so they are kept out of the HTTP client's log.
"""

import asyncio
import hashlib
import hmac
import logging
import re
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote, urlsplit

import httpx2
import orjson

from huitouke.sms.port import Failure, Sms, SmsError

ENDPOINT: Final = "https://dysmsapi.aliyuncs.com"
VERSION: Final = "2017-05-25"
ALGORITHM: Final = "ACS3-HMAC-SHA256"
TIMEOUT_SECONDS: Final = 10.0
CONNECT_SECONDS: Final = 3.0
ANSWER_LIMIT_BYTES: Final = 64 * 1024

_CHINA: Final = "+86"
_NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
_TOLD = re.compile(r"((?:PhoneNumbers|TemplateParam)=)[^&\s\"']+")

FAILURES: Final[Mapping[str, Failure]] = {
    **dict.fromkeys(
        (
            "isv.AMOUNT_NOT_ENOUGH", "isv.OUT_OF_SERVICE", "isv.PRODUCT_UN_SUBSCRIPT", "isv.PRODUCT_UNSUBSCRIBE",
            "isv.ACCOUNT_NOT_EXISTS", "isv.ACCOUNT_ABNORMAL", "isp.RAM_PERMISSION_DENY", "isv.SMS_SIGNATURE_ILLEGAL",
            "isv.SMS_TEMPLATE_ILLEGAL", "InvalidAccessKeyId.NotFound", "InvalidAccessKeyId.Inactive",
            "SignatureDoesNotMatch", "IncompleteSignature",
        ),
        "account",
    ),
    **dict.fromkeys(
        ("isp.SYSTEM_ERROR", "isp.GATEWAY_ERROR", "Throttling", "Throttling.User", "ServiceUnavailable"), "retry"
    ),
}  # fmt: skip
"""What isn't named here is final: it is about this number, or this text."""


class _HideWhatIsTold(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = _TOLD.sub(r"\1***", record.getMessage())
        record.args = ()
        return True


_hide = _HideWhatIsTold()


class AliyunSms:
    """One account's calls. `http` may be shared; `now` gives the time for signatures."""

    def __init__(
        self,
        http: httpx2.AsyncClient,
        access_key_id: str,
        access_key_secret: str,
        now: Callable[[], datetime],
        endpoint: str = ENDPOINT,
    ) -> None:
        logging.getLogger("httpx2").addFilter(_hide)
        self._http = http
        self._key_id = access_key_id
        self._secret = access_key_secret
        self._now = now
        self._endpoint = endpoint.rstrip("/")

    async def send(self, message: Sms) -> str:
        """Hands one message over; gives its BizId. Raises SmsError."""
        params = {
            "PhoneNumbers": message.phone.removeprefix(_CHINA).removeprefix("+"),
            "SignName": message.sign,
            "TemplateCode": message.template_code,
            "TemplateParam": orjson.dumps(dict(message.params)).decode(),
            "OutId": message.out_id,
        }
        answer = await self._call("SendSms", params)
        code = str(answer.get("Code", ""))
        if code != "OK":
            raise SmsError(code, FAILURES.get(code, "final"))
        return str(answer.get("BizId", ""))

    async def _call(self, action: str, params: Mapping[str, str]) -> Mapping[str, Any]:
        """The answer's fields, also of a refusal. Raises SmsError where there is none."""
        query = canonical_query(params)
        host = urlsplit(self._endpoint).netloc
        headers = signed_headers(
            host, action, query, self._now(), self._key_id, self._secret, nonce=secrets.token_hex(16)
        )
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                response = await self._http.post(
                    f"{self._endpoint}/?{query}",
                    headers=headers,
                    timeout=httpx2.Timeout(TIMEOUT_SECONDS, connect=CONNECT_SECONDS),
                    follow_redirects=False,
                )
        except _NEVER_SENT:
            raise SmsError("connect", "retry") from None
        except (TimeoutError, httpx2.TimeoutException):
            raise SmsError("timeout", "unknown") from None
        except httpx2.HTTPError:
            raise SmsError("broken", "unknown") from None
        try:
            answer = orjson.loads(response.content[:ANSWER_LIMIT_BYTES])
        except orjson.JSONDecodeError:
            answer = None
        if not isinstance(answer, dict) or "Code" not in answer:
            raise SmsError("broken", "unknown")
        return answer


def canonical_query(params: Mapping[str, str]) -> str:
    """Names and values percent-encoded (RFC 3986), sorted by name."""
    return "&".join(f"{quote(name, safe='-_.~')}={quote(params[name], safe='-_.~')}" for name in sorted(params))


def signed_headers(
    host: str, action: str, query: str, now: datetime, key_id: str, secret: str, *, nonce: str
) -> dict[str, str]:
    """The headers of a POST without a body, its signature among them."""
    body_digest = hashlib.sha256(b"").hexdigest()
    headers = {
        "host": host,
        "x-acs-action": action,
        "x-acs-content-sha256": body_digest,
        "x-acs-date": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "x-acs-signature-nonce": nonce,
        "x-acs-version": VERSION,
    }
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name].strip()}\n" for name in sorted(headers))
    request = "\n".join(("POST", "/", query, lines, names, body_digest))
    to_sign = f"{ALGORITHM}\n{hashlib.sha256(request.encode()).hexdigest()}"
    signature = hmac.new(secret.encode(), to_sign.encode(), hashlib.sha256).hexdigest()
    return {**headers, "Authorization": f"{ALGORITHM} Credential={key_id},SignedHeaders={names},Signature={signature}"}
