"""Structured logs: one event name in dotted words and key-value pairs. Ids yes, texts of people and secrets no."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Final, TextIO, cast

import orjson
import structlog

from huitouke.kernel.keys import Secret
from huitouke.kernel.settings import Settings

_SECRET_NAMES: Final = ("password", "secret", "token", "api_key", "authorization", "cookie", "aes_key")
_HARMLESS_NAMES: Final = frozenset({"tokens_in", "tokens_out"})
HIDDEN: Final = "<hidden>"


class _StandardError:
    """Whatever `sys.stderr` is at that moment: a logger outlives a stream that was put in its place for a while."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


def configure(settings: Settings) -> None:
    """Sets up structlog and routes the standard library's loggers (uvicorn, SQLAlchemy, …) through it."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        hide_secrets,
    ]
    if settings.log_format == "json":
        rendering: list[structlog.typing.Processor] = [
            # Without local variables: they hold people's words and revealed secrets.
            structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
            structlog.processors.JSONRenderer(serializer=_to_json),
        ]
    else:
        rendering = [
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
        ]
    level = getattr(logging, settings.log_level.upper())
    stream = cast("TextIO", _StandardError())
    structlog.configure(
        processors=[*shared, *rendering],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(level, logging.WARNING))
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers[:] = []
        logging.getLogger(name).propagate = True
        # At debug level they write headers with cookies, and every frame of every socket.
        logging.getLogger(name).setLevel(max(level, logging.INFO))


def hide_secrets(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The last guard: values that are secrets, or whose name sounds like one, never reach the log."""
    for name, value in event.items():
        lowered = name.lower()
        if isinstance(value, Secret) or (
            lowered not in _HARMLESS_NAMES and any(word in lowered for word in _SECRET_NAMES)
        ):
            event[name] = HIDDEN
    return event


def _to_json(event: Any, **_: Any) -> str:
    """One line. What an error quotes may hold half a character: a log that raises would take the work down with it."""
    try:
        return orjson.dumps(event, default=repr, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:
        return json.dumps(event, default=repr)
