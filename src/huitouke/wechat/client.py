"""Calls to WeCom: token, time-outs, repeats, and one exception per cure. `errcode` alone decides (path/90313)."""

import asyncio
import json
import logging
import random
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

import httpx2
import orjson
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from huitouke.wechat.errors import (
    RateLimited,
    TokenInvalid,
    TransientError,
    TransportReason,
    UnexpectedAnswer,
    WecomError,
    error_for,
)
from huitouke.wechat.tokens import Credential, Fetch, FetchedToken, Sleep, TokenCentre

WECOM_BASE_URL = "https://qyapi.weixin.qq.com"
CONNECT_TIMEOUT_SECONDS = 3.0
READ_TIMEOUT_SECONDS = 10.0
ANSWER_TIMEOUT_SECONDS = 30.0  # one attempt, however slowly the answer trickles in
GETTOKEN_TIMEOUT_SECONDS = 8.0  # shorter than the reservation of a refresh
TRIES = 3  # path/90313 on -1: repeat at most three times
BACKOFF_SECONDS = 0.3  # doubled per attempt, with jitter
ANSWER_LIMIT_BYTES = 16 * 1024 * 1024  # a full page of sync_msg is some 2 MB

Json = dict[str, Any]
T = TypeVar("T")

_TIMEOUT = httpx2.Timeout(READ_TIMEOUT_SECONDS, connect=CONNECT_TIMEOUT_SECONDS)
_NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
_SECRET_PARAMETERS = re.compile(r"((?:access_token|corpsecret|key)=)[^&\s\"']+")
_log = logging.getLogger("huitouke.wechat.client")


class _HideSecrets(logging.Filter):
    """WeCom wants token and secret in the URL, and httpx2 logs URLs."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg = _SECRET_PARAMETERS.sub(r"\1***", record.getMessage())
        record.args = ()
        return True


_hide_secrets = _HideSecrets()


@dataclass(frozen=True, slots=True)
class Upload:
    """One file of a multipart body."""

    field_name: str
    filename: str
    content: bytes = field(repr=False)
    media_type: str


@dataclass(frozen=True, slots=True)
class Call:
    """One call. `path` is relative to /cgi-bin/. Only an idempotent call is repeated when it may have happened."""

    method: Literal["GET", "POST"]
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = field(default=None, repr=False)
    upload: Upload | None = None
    idempotent: bool = True
    timeout_seconds: float = ANSWER_TIMEOUT_SECONDS


class WecomClient:
    """One app's calls. `http` may be shared by all clients; time-outs are set per call.

    `failed` is told of every call that ended in an error, after its last try.

    Every method raises WecomError or a subclass; their texts never hold the token or the secret.
    """

    def __init__(
        self,
        http: httpx2.AsyncClient,
        tokens: TokenCentre,
        credential: Credential,
        base_url: str = WECOM_BASE_URL,
        sleep: Sleep = asyncio.sleep,
        failed: Callable[[WecomError], Awaitable[None]] | None = None,
    ) -> None:
        logging.getLogger("httpx2").addFilter(_hide_secrets)
        self._http = http
        self._tokens = tokens
        self._credential = credential
        self._base_url = base_url
        self._sleep = sleep
        self._failed = failed

    @property
    def credential(self) -> Credential:
        return self._credential

    async def get(self, path: str, params: Mapping[str, str] | None = None) -> Json:
        """The JSON answer of a GET whose errcode is 0."""
        return await self.run(Call("GET", path, params or {}), read_json)

    async def post(self, path: str, body: Mapping[str, Any], *, idempotent: bool) -> Json:
        """The JSON answer of a POST whose errcode is 0."""
        return await self.run(Call("POST", path, body=orjson.dumps(body), idempotent=idempotent), read_json)

    async def run(self, call: Call, read: Callable[[Call, httpx2.Response], Awaitable[T]]) -> T:
        """Carry out `call` and give what `read` makes of the answer.

        A refused token is renewed once and the call repeated once. TransientError is repeated up to three tries in
        all, with a jittered pause, unless the call may have happened and isn't idempotent.
        """
        try:
            return await self._run(call, read)
        except WecomError as error:
            if self._failed is not None:
                await self._failed(error)
            raise

    async def _run(self, call: Call, read: Callable[[Call, httpx2.Response], Awaitable[T]]) -> T:
        tries = 0
        renewed = False
        while True:
            tries += 1
            token = ""
            try:
                token = await self._tokens.token(self._credential)
                return await self._attempt(call, token, read)
            except TokenInvalid as error:
                error.tries = tries
                await self._tokens.invalidate(self._credential, token)
                if renewed:
                    raise
                renewed = True
                tries -= 1
            except TransientError as error:
                error.tries = tries
                if tries >= TRIES or (error.may_have_happened and not call.idempotent):
                    raise
                _log.info("wechat.call.repeated path=%s tries=%d error=%s", call.path, tries, error)
                await self._sleep(BACKOFF_SECONDS * 2 ** (tries - 1) * random.uniform(0.5, 1.5))
            except WecomError as error:
                error.tries = tries
                raise

    async def _attempt(self, call: Call, token: str, read: Callable[[Call, httpx2.Response], Awaitable[T]]) -> T:
        params = {**call.params, "access_token": token}
        async with _exchange(self._http, self._base_url, call, params, hidden=token) as response:
            return await read(call, response)


def token_fetcher(http: httpx2.AsyncClient, base_url: str = WECOM_BASE_URL) -> Fetch:
    """The `fetch` of a TokenCentre: GET gettoken (path/91039).

    Raises WrongSecret, WrongCorpId, IpNotTrusted, RateLimited, TransientError …
    """
    logging.getLogger("httpx2").addFilter(_hide_secrets)

    async def fetch(credential: Credential) -> FetchedToken:
        call = Call("GET", "gettoken", timeout_seconds=GETTOKEN_TIMEOUT_SECONDS)
        params = {"corpid": credential.corp_id, "corpsecret": credential.secret}
        async with _exchange(http, base_url, call, params, hidden=credential.secret) as response:
            answer = await read_json(call, response)
        token, expires_in = answer.get("access_token"), answer.get("expires_in")
        if not isinstance(token, str) or not token or not isinstance(expires_in, int):
            raise UnexpectedAnswer(None, "no access_token in the answer", call.path, reason=TransportReason.NOT_JSON)
        return FetchedToken(token, expires_in)

    return fetch


async def post_with_key(http: httpx2.AsyncClient, base_url: str, path: str, key: str, body: Mapping[str, Any]) -> Json:
    """The JSON answer of a POST that a key in the address lets in, in a token's place; never repeated by itself."""
    logging.getLogger("httpx2").addFilter(_hide_secrets)
    call = Call("POST", path, body=orjson.dumps(body), idempotent=False)
    async with _exchange(http, base_url, call, {"key": key}, hidden=key) as response:
        return await read_json(call, response)


async def read_json(call: Call, response: httpx2.Response) -> Json:
    """The answer as an object whose errcode is 0. Raises the class of its errcode, or UnexpectedAnswer."""
    return parse_answer(call, await read_body(call, response, ANSWER_LIMIT_BYTES))


async def read_body(call: Call, response: httpx2.Response, limit_bytes: int) -> bytes:
    """The body, or UnexpectedAnswer as soon as it grows beyond the limit."""
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > limit_bytes:
            raise UnexpectedAnswer(None, f"more than {limit_bytes} bytes", call.path, reason=TransportReason.TOO_LARGE)
    return bytes(body)


def parse_answer(call: Call, body: bytes) -> Json:
    """`body` as an object whose errcode is 0 or absent. Raises the class of its errcode, or UnexpectedAnswer."""
    answer = _loads(body)
    if not isinstance(answer, dict):
        raise UnexpectedAnswer(None, "not a JSON object", call.path, reason=TransportReason.NOT_JSON)
    errcode = answer.get("errcode", 0)
    if not isinstance(errcode, int):
        raise UnexpectedAnswer(None, "errcode is not a number", call.path, reason=TransportReason.NOT_JSON)
    if errcode != 0:
        raise error_for(errcode, str(answer.get("errmsg", "")), call.path)
    return answer


def _loads(body: bytes) -> Any:
    """The JSON, or None. Half an emoji, or a byte that is no UTF-8, becomes U+FFFD: people cut texts and nicknames
    anywhere, and one such character must not hold up a page of a thousand messages."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    try:
        text = json.dumps(json.loads(body.decode(errors="replace")), ensure_ascii=False)
        return orjson.loads(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
    except (ValueError, RecursionError):
        return None


class Answer(BaseModel):
    """What an answer must hold for us; further fields are ignored, null counts as absent."""

    model_config = ConfigDict(frozen=True, extra="ignore", coerce_numbers_to_str=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, data: Any) -> Any:
        return {name: value for name, value in data.items() if value is not None} if isinstance(data, dict) else data


AnswerT = TypeVar("AnswerT", bound=Answer)


def shaped(model: type[AnswerT], answer: Json, path: str) -> AnswerT:
    """The answer as `model`. Raises UnexpectedAnswer, which names the fields that don't fit."""
    try:
        return model.model_validate(answer)
    except ValidationError as error:
        fields = ", ".join(".".join(str(step) for step in problem["loc"]) for problem in error.errors()[:5])
        raise UnexpectedAnswer(None, f"unfitting fields: {fields}", path, reason=TransportReason.NOT_JSON) from None


@asynccontextmanager
async def _exchange(
    http: httpx2.AsyncClient, base_url: str, call: Call, params: Mapping[str, str], hidden: str
) -> AsyncIterator[httpx2.Response]:
    """The open response of one attempt; everything that can go wrong with it becomes a WecomError.

    The cause is cut off (`from None`): httpx2's exceptions hold the request and with it the token.
    """
    try:
        async with (
            asyncio.timeout(call.timeout_seconds),
            http.stream(
                call.method,
                f"{base_url.rstrip('/')}/cgi-bin/{call.path}",
                params=params,
                content=call.body,
                files=_multipart(call.upload),
                headers={"Content-Type": "application/json"} if call.body is not None else None,
                timeout=_TIMEOUT,
                follow_redirects=False,
            ) as response,
        ):
            _check_status(call, response)
            yield response
    except (TimeoutError, httpx2.HTTPError) as error:
        raise _transport_error(call, error, hidden) from None
    except WecomError as error:
        error.hide(hidden)
        raise


def _multipart(upload: Upload | None) -> dict[str, tuple[str, bytes, str]] | None:
    if upload is None:
        return None
    return {upload.field_name: (upload.filename, upload.content, upload.media_type)}


def _check_status(call: Call, response: httpx2.Response) -> None:
    """WeCom answers 200 whatever the errcode; everything else comes from a gateway, or the path does not exist."""
    status = response.status_code
    if status == 200:
        return
    errmsg = f"HTTP {status}"
    if status >= 500:
        reason = TransportReason.SERVER_ERROR
        raise TransientError(None, errmsg, call.path, reason=reason, may_have_happened=True)
    if status == 429:
        raise RateLimited(None, errmsg, call.path, reason=TransportReason.SERVER_ERROR)
    reason = TransportReason.NOT_FOUND if status == 404 else TransportReason.NOT_JSON
    raise UnexpectedAnswer(None, errmsg, call.path, reason=reason)


def _transport_error(call: Call, error: Exception, hidden: str) -> TransientError:
    if isinstance(error, TimeoutError | httpx2.TimeoutException):
        reason = TransportReason.TIMEOUT
    elif isinstance(error, _NEVER_SENT):
        reason = TransportReason.CONNECT
    else:
        reason = TransportReason.BROKEN
    errmsg = f"{type(error).__name__} {error}".strip().replace(hidden, "***")
    may_have_happened = not isinstance(error, _NEVER_SENT)
    return TransientError(None, errmsg, call.path, reason=reason, may_have_happened=may_have_happened)
