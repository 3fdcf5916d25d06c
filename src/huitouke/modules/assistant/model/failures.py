"""What endpoints say when they refuse, in their own words and codes, as the few reasons that a person can act on.

Sources: tests/conformance/assistant/dialects names the page of each. Pure functions.
"""

from __future__ import annotations

import json
from typing import Any, Final

from huitouke.modules.assistant.model.port import FailureKind, ModelFailure

_WORDS: Final[tuple[tuple[FailureKind, tuple[str, ...]], ...]] = (
    (
        FailureKind.CREDIT,
        (
            *("insufficient balance", "insufficient_balance", "arrearage", "overdue", "account is in good standing"),
            *("exceeded_current_quota", "insufficient_quota", "freetieronly", "free tier", "欠费", "余额不足"),
        ),
    ),
    (
        FailureKind.KEY,
        (
            *("api_key", "apikey", "api key", "api-key", "authentication", "unauthorized", "invalid token"),
            *("身份验证", "令牌"),
        ),
    ),
    (
        FailureKind.FILTERED,
        (
            *("content_filter", "contentfilter", "data_inspection", "datainspection", "content exists risk"),
            *("high risk", "inappropriate content", "敏感内容"),
        ),
    ),
    (
        FailureKind.PROMPT_TOO_LONG,
        (
            *("context length", "context_length", "context window", "maximum context", "range of input length"),
            *("token limit", "token length too long", "prompt is too long", "exceeds the available context", "超长"),
        ),
    ),
)
"""Searched in this order in what an endpoint says, in lower case."""

_MODEL_WORDS: Final = ("not_found", "not found", "not exist", "unknown", "不存在")
_BUSY_WORDS: Final = (
    *("rate limit", "rate_limit", "ratelimit", "quota", "throttl", "too many requests", "limit_requests"),
    *("limit_burst_rate", "overload", "insufficient", "balance", "并发", "频率", "访问量过大"),
)
_CODES: Final = {
    **dict.fromkeys(("1000", "1001", "1002", "1003", "1004"), FailureKind.KEY),
    **dict.fromkeys(("1110", "1111", "1112", "1121", "1220", "1311"), FailureKind.KEY),
    **dict.fromkeys(("1113", "1308", "1309", "1310"), FailureKind.CREDIT),
    **dict.fromkeys(("1211", "1221", "1222"), FailureKind.MODEL),
    "1261": FailureKind.PROMPT_TOO_LONG,
    "1301": FailureKind.FILTERED,
    **dict.fromkeys(("1302", "1303", "1304", "1305", "1312", "1313"), FailureKind.BUSY),
}
"""Zhipu's numbers, in `error.code` (docs.bigmodel.cn/cn/api/api-code); their words vary."""

_FINISHED_BADLY: Final = {
    "content_filter": FailureKind.FILTERED,  # OpenAI, DeepSeek, Kimi, Qwen
    "sensitive": FailureKind.FILTERED,  # GLM
    "insufficient_system_resource": FailureKind.SERVER,  # DeepSeek
    "network_error": FailureKind.SERVER,  # GLM
    "model_context_window_exceeded": FailureKind.PROMPT_TOO_LONG,  # GLM
    "abort": FailureKind.SERVER,  # vLLM
    "error": FailureKind.SERVER,  # vLLM
}


def error_of(document: dict[str, Any], otherwise: FailureKind) -> ModelFailure:
    """The failure that an error document speaks of; `otherwise` when it speaks of none we know."""
    error = document.get("error")
    parts = error if isinstance(error, dict) else document
    words = [
        str(parts[key])
        for key in ("code", "type", "message", "msg", "status_msg", "detail")
        if isinstance(parts.get(key), (str, int))
    ]
    if isinstance(error, str):
        words.append(error)
    base = document.get("base_resp")
    if isinstance(base, dict):
        words.extend(str(base[key]) for key in ("status_code", "status_msg") if key in base)
    said = " ".join(words)
    known = _CODES.get(str(parts.get("code"))) if isinstance(error, dict) else None
    return ModelFailure(known or _spoken(said) or (FailureKind.REFUSED if said else otherwise), said)


def failure_of_status(status: int, data: bytes) -> ModelFailure:
    """The failure that a response other than 200 means: its words first, since statuses are used alike for much."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        document = None
    said = error_of(document, FailureKind.REFUSED) if isinstance(document, dict) else None
    detail = f"{status} {said.detail if said is not None else ''}".strip()
    if said is not None and said.kind is not FailureKind.REFUSED and (status < 500 or said.kind is FailureKind.CREDIT):
        return ModelFailure(said.kind, detail)
    return ModelFailure(_of_status(status, detail), detail)


def failure_of_finish(reason: object) -> ModelFailure | None:
    """The failure that a `finish_reason` means, if it means one."""
    kind = _FINISHED_BADLY.get(reason) if isinstance(reason, str) else None
    return ModelFailure(kind, str(reason)) if kind is not None else None


def _spoken(said: str) -> FailureKind | None:
    lowered = said.lower()
    for kind, words in _WORDS:
        if any(word in lowered for word in words):
            return kind
    if ("model" in lowered or "模型" in lowered) and any(word in lowered for word in _MODEL_WORDS):
        return FailureKind.MODEL
    return FailureKind.BUSY if any(word in lowered for word in _BUSY_WORDS) else None


def _of_status(status: int, detail: str) -> FailureKind:
    if status in (401, 403):
        return FailureKind.KEY
    if status == 402:
        return FailureKind.CREDIT
    if status == 404 and "model" in detail.lower():
        return FailureKind.MODEL
    if 300 <= status < 400 or status in (404, 405):
        return FailureKind.PATH
    if status == 413:
        return FailureKind.PROMPT_TOO_LONG
    if status == 429:
        return FailureKind.BUSY
    return FailureKind.SERVER if status >= 500 else FailureKind.REFUSED
