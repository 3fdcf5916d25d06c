"""How a process comes to its end: by itself, when a part dies that it can't do without, or because it was told to.

A dead worker in a process that goes on answering would be noticed by whoever reads `/health/ready`, and by nobody
else. So the process ends in order and with a status that has its supervisor start it again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import structlog

log = structlog.get_logger(__name__)

Heard: TypeAlias = Callable[[str], None]
"""Takes the name of the part that died."""

_listeners: list[Heard] = []
_begun = False


def vital(work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
    """Starts a part that the process can't do without. Its owner keeps the task, and cancels it at the end."""
    task = asyncio.create_task(work, name=name)
    task.add_done_callback(_ended)
    return task


@contextmanager
def deaths(heard: Heard) -> Iterator[None]:
    """Calls `heard` when a vital part of this process dies within the block."""
    _listeners.append(heard)
    try:
        yield
    finally:
        _listeners.remove(heard)


@contextmanager
def process() -> Iterator[None]:
    """Encloses what serves: at its beginning nobody has asked it to end."""
    global _begun
    _begun = False
    try:
        yield
    finally:
        _begun = False


def begin() -> None:
    """The process was told to end: from now on it isn't ready for anything new."""
    global _begun
    _begun = True


def begun() -> bool:
    """Whether it was."""
    return _begun


def _ended(task: asyncio.Task[None]) -> None:
    if task.cancelled() or (error := task.exception()) is None:
        return
    log.error("app.service_died", service=task.get_name(), exc_info=error)
    for heard in list(_listeners):
        heard(task.get_name())
