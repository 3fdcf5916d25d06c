"""Sees the event loop stand still: anything over 50 ms is logged with the stack that held it."""

from __future__ import annotations

import asyncio
import sys
import threading
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from types import FrameType
from typing import Final

import structlog

from huitouke.kernel.observability import metrics

LIMIT_SECONDS: Final = 0.05
BEAT_SECONDS: Final = 0.02
STACK_LINES: Final = 12

log = structlog.get_logger(__name__)


class Watchdog:
    """A thread that looks at the loop's beat; when it is late it takes the loop's stack while it is still held."""

    def __init__(self, limit_seconds: float = LIMIT_SECONDS) -> None:
        self.limit_seconds = limit_seconds
        self.blocked = 0
        """How often the loop stood still so far."""
        self._last_beat = monotonic()
        self._stopping = threading.Event()
        self._loop_thread = threading.get_ident()
        self._thread = threading.Thread(target=self._watch, name="loop-watchdog", daemon=True)

    async def run(self) -> None:
        """Beats until cancelled; the watching thread lives as long."""
        self._loop_thread = threading.get_ident()
        self._last_beat = monotonic()
        self._thread.start()
        try:
            while True:
                self._last_beat = monotonic()
                await asyncio.sleep(BEAT_SECONDS)
        finally:
            self._stopping.set()

    def _watch(self) -> None:
        while not self._stopping.wait(BEAT_SECONDS):
            seen = self._last_beat
            if monotonic() - seen <= self.limit_seconds + BEAT_SECONDS:
                continue
            stack = _stack_of(sys._current_frames().get(self._loop_thread))
            while self._last_beat == seen and not self._stopping.wait(0.005):
                pass
            self._report(monotonic() - seen - BEAT_SECONDS, stack)

    def _report(self, seconds: float, stack: list[str]) -> None:
        self.blocked += 1
        metrics.LOOP_BLOCKED.inc()
        metrics.LOOP_BLOCKED_SECONDS.inc(seconds)
        # Not under the name `stack`: structlog keeps that for itself, and its text form stumbles over a list.
        log.warning("loop.blocked", elapsed_ms=round(seconds * 1000), frames=stack)


@asynccontextmanager
async def watching() -> AsyncIterator[Watchdog]:
    """Runs a watchdog over this loop."""
    watchdog = Watchdog()
    task = asyncio.create_task(watchdog.run(), name="loop-watchdog")
    try:
        yield watchdog
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _stack_of(frame: FrameType | None) -> list[str]:
    """`file:line function`, innermost last."""
    return [f"{entry.filename}:{entry.lineno} {entry.name}" for entry in traceback.extract_stack(frame)[-STACK_LINES:]]
