"""Logs without secrets; a watchdog that sees the loop stand still."""

import asyncio
import io
import sys
import time

import orjson
import pytest
import structlog

from huitouke.kernel.keys import Secret
from huitouke.kernel.observability import logs
from huitouke.kernel.observability.watchdog import watching
from huitouke.kernel.settings import Settings


@pytest.mark.parametrize("name", ["password", "api_key", "app_secret", "access_token", "Authorization", "cookie"])
def test_values_whose_name_sounds_like_a_secret_are_hidden(name: str):
    assert logs.hide_secrets(None, "info", {name: "sk-123"}) == {name: logs.HIDDEN}


def test_secrets_are_hidden_under_any_name_and_figures_are_not():
    event = logs.hide_secrets(None, "info", {"note": Secret("sk-123"), "tokens_in": 120, "count": 3})
    assert event == {"note": logs.HIDDEN, "tokens_in": 120, "count": 3}


def test_json_lines_hold_anything_that_is_logged():
    line = logs._to_json({"id": object(), 1: "x", "secret": repr(Secret("sk-123"))})
    assert orjson.loads(line)["1"] == "x"
    assert "sk-123" not in line


def test_half_a_character_in_an_error_is_written_and_raises_nothing():
    line = logs._to_json({"event": "work.failed", "error": "half a character \ud83d"})
    assert orjson.loads(line.replace("\\ud83d", "?")) == {"event": "work.failed", "error": "half a character ?"}


async def test_a_loop_that_stands_still_is_reported_with_its_stack():
    def slow_function():
        time.sleep(0.15)

    with structlog.testing.capture_logs() as lines:
        async with watching() as watchdog:
            await asyncio.sleep(0.1)
            slow_function()
            await asyncio.sleep(0.1)

    assert watchdog.blocked >= 1
    reported = [line for line in lines if line["event"] == "loop.blocked"]
    # More than one where a server of another test watches the same loop.
    (line, *_) = [line for line in reported if any("slow_function" in entry for entry in line["frames"])]
    assert line["elapsed_ms"] >= 80


async def test_a_loop_that_waits_is_not_reported():
    async with watching() as watchdog:
        await asyncio.sleep(0.2)
    assert watchdog.blocked == 0


def test_a_logger_outlives_the_stream_that_stood_in_for_stderr(monkeypatch: pytest.MonkeyPatch) -> None:
    before = structlog.get_config()
    first, second = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", first)
    logs.configure(Settings(log_format="json"))
    log = structlog.get_logger("test")
    log.warning("test.first")
    monkeypatch.setattr(sys, "stderr", second)
    first.close()
    log.warning("test.second")
    assert "test.second" in second.getvalue()
    structlog.configure(**before)
