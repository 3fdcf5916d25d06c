"""Sends encrypted callbacks to the apps' URLs, with WeCom's retry rule and the faults that are switched on.

Answer within 5 s, else repeated up to three times (path/90930); not in order under load, and never guaranteed.
"""

import asyncio
import secrets
import time
from collections.abc import Mapping
from dataclasses import replace
from xml.sax.saxutils import escape

import httpx2

from wechat_sandbox.control.schemas import Notice
from wechat_sandbox.crypto import encrypt, signature
from wechat_sandbox.entities import App, Callback
from wechat_sandbox.timers import Timers
from wechat_sandbox.world import World

RETRY_LIMIT = 3
WORKER_COUNT = 32
QUEUE_LIMIT = 200_000
VERIFY_TIMEOUT_SECONDS = 1.0
ECHO_LIMIT_BYTES = 65_536


class RawXml(str):
    """Text of a field that is already XML."""

    __slots__ = ()


class CallbackSender:
    """A bounded queue and a few workers; started and stopped with the application."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._queue: asyncio.Queue[tuple[int, Callback]] = asyncio.Queue()
        self._workers: list[asyncio.Task[None]] = []
        self._held = Timers()
        self._generation = 0
        self._client: httpx2.AsyncClient | None = None
        self.in_flight = 0

    async def start(self) -> None:
        """Begins to send, first what was still waiting when the process ended."""
        self._client = httpx2.AsyncClient(
            limits=httpx2.Limits(max_connections=WORKER_COUNT * 2, max_keepalive_connections=WORKER_COUNT),
            trust_env=False,
        )
        self._workers = [asyncio.create_task(self._work()) for _ in range(WORKER_COUNT)]
        for callback in self._world.callbacks:
            if callback.state == "waiting":
                self._queue.put_nowait((self._generation, callback))

    async def stop(self) -> None:
        self.forget()
        for worker in self._workers:
            worker.cancel()
        await asyncio.gather(*self._workers, return_exceptions=True)
        if self._client is not None:
            await self._client.aclose()

    def forget(self) -> None:
        """Drops what waits; what is on its way is no longer repeated."""
        self._generation += 1
        self._held.cancel()
        while not self._queue.empty():
            self._queue.get_nowait()

    @property
    def waiting(self) -> int:
        """Callbacks queued, held back by a fault, or on their way."""
        return self._queue.qsize() + len(self._held) + self.in_flight

    def post(self, app: App, event: str, fields: Mapping[str, str | int], open_kfid: str = "") -> None:
        """Queues one callback for `app`; does nothing when the app has no callback URL.

        `fields` follow ToUserName in the given order; numbers stand bare, texts in CDATA.
        """
        if not app.callback_url:
            return
        world = self._world
        callback = Callback(
            id=world.next_callback_id(),
            corp_id=app.corp_id,
            agentid=app.agentid,
            event=event,
            open_kfid=open_kfid,
            url=app.callback_url,
            body=xml({"ToUserName": app.corp_id, **fields}),
            at=world.clock.now(),
        )
        world.add(callback)
        faults = world.faults
        if self.waiting >= QUEUE_LIMIT:
            callback.state = "refused"
            self._finished(callback)
        elif world.dice.strikes(faults.callback_loss_probability):
            callback.state, callback.fault = "lost", "lost"
            self._finished(callback)
        else:
            self._schedule_first(callback)

    def _schedule_first(self, callback: Callback) -> None:
        world, faults = self._world, self._world.faults
        delay_ms = faults.callback_delay_ms + world.dice.up_to(faults.callback_delay_jitter_ms)
        if world.dice.strikes(faults.callback_reorder_probability):
            callback.fault = "reordered"
            delay_ms += faults.callback_reorder_hold_ms
        self._later(callback, delay_ms / 1_000)
        if world.dice.strikes(faults.callback_double_probability):
            callback.fault = "doubled"
            double = replace(callback, id=world.next_callback_id(), attempts=[])
            world.add(double)
            self._later(double, delay_ms / 1_000)

    def _later(self, callback: Callback, delay_seconds: float) -> None:
        item = (self._generation, callback)
        if delay_seconds <= 0:
            self._queue.put_nowait(item)
        else:
            self._held.later(delay_seconds, lambda: self._queue.put_nowait(item))

    async def _work(self) -> None:
        while True:
            generation, callback = await self._queue.get()
            self.in_flight += 1
            try:
                await self._attempt(generation, callback)
            finally:
                self.in_flight -= 1

    async def _attempt(self, generation: int, callback: Callback) -> None:
        app = self._world.apps.get((callback.corp_id, callback.agentid))
        if app is None or not app.callback_url:
            callback.state = "failed"
            callback.attempts.append({"at": callback.at, "error": "the app has no callback URL", "elapsed_ms": 0})
            self._finished(callback)
            return
        at = self._world.clock.now()
        started = time.monotonic()
        status, error = await self._push(app, callback.body)
        if generation != self._generation:
            return
        elapsed_ms = round((time.monotonic() - started) * 1_000)
        callback.attempts.append({"at": at, "status": status, "error": error, "elapsed_ms": elapsed_ms})
        faults = self._world.faults
        accepted = status == 200 or (status is not None and not faults.callback_retry_on_non_200)
        if accepted:
            callback.state = "delivered" if status == 200 else "failed"
        elif len(callback.attempts) <= RETRY_LIMIT:
            self._later(callback, faults.callback_retry_delay_ms / 1_000)
        else:
            callback.state = "failed"
        self._finished(callback)

    async def _push(self, app: App, body: str) -> tuple[int | None, str | None]:
        """(status, None) or (None, what went wrong)."""
        assert self._client is not None
        encrypted = encrypt(body.encode(), app.callback_aes_key, app.corp_id)
        agent = "" if app.contact_sync else f"<AgentID><![CDATA[{app.agentid}]]></AgentID>"
        envelope = (
            f"<xml><ToUserName><![CDATA[{app.corp_id}]]></ToUserName>"
            f"{agent}<Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>"
        )
        timeout = self._world.faults.callback_timeout_ms / 1_000
        try:
            async with asyncio.timeout(timeout):
                answer = await self._client.post(
                    httpx2.URL(app.callback_url).copy_merge_params(self._signed(app, encrypted)),
                    content=envelope.encode(),
                    headers={"Content-Type": "text/xml"},
                    timeout=timeout,
                )
        except (TimeoutError, httpx2.TimeoutException):
            return None, f"no answer within {timeout:g} s"
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            return None, f"{type(error).__name__}: {error}"
        return answer.status_code, None

    def _signed(self, app: App, encrypted: str) -> dict[str, str]:
        timestamp, nonce = str(int(self._world.clock.now())), str(secrets.randbelow(10**10))
        return {
            "msg_signature": signature(app.callback_token, timestamp, nonce, encrypted),
            "timestamp": timestamp,
            "nonce": nonce,
        }

    def _finished(self, callback: Callback) -> None:
        if callback.id >= (self._world.callbacks[0].id if self._world.callbacks else 0):
            self._world.save(callback)
        self._world.hub.publish(Notice(kind="callback", corp_id=callback.corp_id, id=callback.id))
        self._world.flush()

    async def verify(self, app: App, url: str, token: str, encoding_aes_key: str) -> tuple[str | None, int]:
        """The GET that WeCom makes when the callback is saved (path/90930): (error or None, elapsed ms)."""
        assert self._client is not None
        echo = str(secrets.randbelow(10**19)).encode()
        probe = App(
            corp_id=app.corp_id, agentid=app.agentid, name="", secret="", callback_token=token,
            callback_aes_key=encoding_aes_key,
        )  # fmt: skip
        encrypted = encrypt(echo, encoding_aes_key, app.corp_id)
        params = {**self._signed(probe, encrypted), "echostr": encrypted}
        started = time.monotonic()
        try:
            async with asyncio.timeout(VERIFY_TIMEOUT_SECONDS):
                address = httpx2.URL(url).copy_merge_params(params)
                answer = await self._client.get(address, timeout=VERIFY_TIMEOUT_SECONDS)
            error = _echo_error(answer, echo)
        except (TimeoutError, httpx2.TimeoutException):
            error = f"{url} gave no answer within {VERIFY_TIMEOUT_SECONDS:g} s"
        except (httpx2.HTTPError, httpx2.InvalidURL) as problem:
            error = f"{url} could not be reached: {type(problem).__name__} {problem}"
        return error, round((time.monotonic() - started) * 1_000)


def _echo_error(answer: httpx2.Response, echo: bytes) -> str | None:
    if answer.status_code != 200:
        return f"the URL answered HTTP {answer.status_code} instead of 200"
    if len(answer.content) > ECHO_LIMIT_BYTES or answer.content != echo:
        return "the URL did not answer with the decrypted echostr: no quotes, no line end, nothing else"
    return None


def xml(fields: Mapping[str, str | int]) -> str:
    """`<xml>` with one element per field; a text that holds "]]>" is escaped instead of wrapped in CDATA."""
    parts = []
    for name, value in fields.items():
        if isinstance(value, int | RawXml):
            text = str(value)
        elif "]]>" in value:
            text = escape(value)
        else:
            text = f"<![CDATA[{value}]]>"
        parts.append(f"<{name}>{text}</{name}>")
    return "<xml>" + "".join(parts) + "</xml>"
