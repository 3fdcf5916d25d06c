"""Any OpenAI-compatible chat endpoint, over httpx2.

Measured on 2 cores: importing `pydantic_ai.models.openai` takes 2.1 s and 58 MB in a process that needs 32 MB without
it, and it can neither stop a body that has no end nor connect to the address that was checked. What the assistant needs
of an endpoint is one POST, so the adapter is that POST.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import ip_address
from typing import Any, Final

import httpx2

from huitouke.kernel.keys import Secret
from huitouke.kernel.settings import get_settings
from huitouke.modules.assistant.model.addresses import Address, parse_address, resolve
from huitouke.modules.assistant.model.dialects import error_of, read_completion
from huitouke.modules.assistant.model.port import ChatMessage, Completion, FailureKind, ModelFailure

MAX_BODY_BYTES: Final = 256 * 1024
"""A completion of 800 tokens with its thoughts has some 20 KB; what is longer never ends."""

CONNECT_SECONDS: Final = 3.0
TEMPERATURE: Final = 0.2


class OpenAiCompatible:
    """One endpoint with one model."""

    def __init__(self, base_url: str, model: str, api_key: Secret | None) -> None:
        """Raises ModelFailure(FORBIDDEN_ADDRESS) for an address that can't be used."""
        self._address = parse_address(base_url)
        self._model = model
        self._api_key = api_key

    @property
    def name(self) -> str:
        """The model's name as the endpoint calls it."""
        return self._model

    async def chat(self, messages: Sequence[ChatMessage], *, max_tokens: int, timeout_seconds: float) -> Completion:
        """One answer; JSON is asked for where the endpoint knows that. Raises ModelFailure."""
        body: dict[str, Any] = {
            "model": self._model,
            "messages": [{"role": message.role, "content": message.content} for message in messages],
            "max_tokens": max_tokens,
            "temperature": TEMPERATURE,
            "stream": False,
            "response_format": {"type": "json_object"},
        }
        try:
            async with asyncio.timeout(timeout_seconds):
                status, data = await self._post(body)
                if status in (400, 422) and b"response_format" in data:
                    del body["response_format"]
                    status, data = await self._post(body)
        except (TimeoutError, httpx2.TimeoutException) as error:
            kind = FailureKind.ADDRESS if isinstance(error, httpx2.ConnectTimeout) else FailureKind.SLOW
            raise ModelFailure(kind, f"{timeout_seconds:g} s") from error
        except httpx2.ConnectError as error:
            raise ModelFailure(FailureKind.ADDRESS, str(error)) from error
        except (httpx2.HTTPError, ssl.SSLError) as error:
            raise ModelFailure(FailureKind.SERVER, f"{type(error).__name__} {error}") from error
        if status != 200:
            raise _failure_of_status(status, data)
        return read_completion(data, self._model)

    async def _post(self, body: dict[str, Any]) -> tuple[int, bytes]:
        addresses = await resolve(self._address, allow_private=get_settings().allow_private_endpoints)
        failure: httpx2.ConnectError | None = None
        for ip in addresses[:3]:
            try:
                return await self._post_to(ip, body)
            except httpx2.ConnectError as error:
                failure = error
        assert failure is not None, "there is at least one address"
        raise failure

    async def _post_to(self, ip: str, body: dict[str, Any]) -> tuple[int, bytes]:
        headers = {
            "Host": _host_header(self._address),
            "Content-Type": "application/json",
            "Accept": "application/json",
        }
        if self._api_key:
            headers["Authorization"] = f"Bearer {self._api_key.reveal()}"
        limits = httpx2.Timeout(None, connect=CONNECT_SECONDS)
        async with (
            httpx2.AsyncClient(verify=_tls(), timeout=limits, follow_redirects=False, trust_env=False) as client,
            client.stream(
                "POST",
                _pinned(self._address, ip),
                content=json.dumps(body, ensure_ascii=False).encode(),
                headers=headers,
                extensions={"sni_hostname": self._address.host},
            ) as response,
        ):
            received = bytearray()
            async for chunk in response.aiter_bytes():
                received += chunk
                if len(received) > MAX_BODY_BYTES:
                    raise ModelFailure(FailureKind.TOO_LONG, f"{MAX_BODY_BYTES} bytes")
            return response.status_code, bytes(received)


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """Reading the certificates takes 20 ms: once per process."""
    return httpx2.create_ssl_context()


def _pinned(address: Address, ip: str) -> str:
    literal = f"[{ip}]" if ip_address(ip).version == 6 else ip
    path = address.base_url.split("://", 1)[1].partition("/")[2]
    return f"{address.scheme}://{literal}:{address.port}/{path + '/' if path else ''}chat/completions"


def _host_header(address: Address) -> str:
    host = f"[{address.host}]" if ":" in address.host else address.host
    default = {"http": 80, "https": 443}[address.scheme]
    return host if address.port == default else f"{host}:{address.port}"


def _failure_of_status(status: int, data: bytes) -> ModelFailure:
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        document = None
    said = error_of(document, FailureKind.REFUSED) if isinstance(document, dict) else None
    detail = f"{status} {said.detail if said is not None else ''}".strip()
    if status in (401, 403):
        return ModelFailure(FailureKind.KEY, detail)
    if status == 404:
        known = said is not None and (said.kind is FailureKind.MODEL or "model" in said.detail.lower())
        return ModelFailure(FailureKind.MODEL if known else FailureKind.PATH, detail)
    if status in (402, 429):
        return ModelFailure(FailureKind.BUSY, detail)
    if status >= 500:
        return ModelFailure(FailureKind.SERVER, detail)
    if 300 <= status < 400 or status == 405:
        return ModelFailure(FailureKind.PATH, str(status))
    return ModelFailure(said.kind if said is not None else FailureKind.REFUSED, detail)
