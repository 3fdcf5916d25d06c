"""Holds what a model wrote against the evidence: what is not written there is not said to a customer. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

from huitouke.modules.assistant.model.dialects import ModelAnswer
from huitouke.modules.assistant.retrieval.questions import content_words
from huitouke.modules.assistant.retrieval.text import bigrams, fold

MAX_ANSWER_CHARACTERS: Final = 600
LEAK_CHARACTERS: Final = 16
"""So many characters of our rules in a row in an answer are a leak, not chance."""

GROUNDED_SHARE: Final = 0.5
"""At least so much of the answer's content stands in the evidence or in the customer's own words."""

_URL: Final = re.compile(r"(?:https?://|www\.)[^\s，。；）)]+|\b[a-z0-9-]+\.(?:com|cn|net|org|shop|vip|top)\b", re.I)
_NUMBER: Final = re.compile(r"\d+(?:[.,:]\d+)*")
_CHINESE_NUMBER: Final = re.compile(
    r"[零一二两三四五六七八九十百千万半]+(?=\s*(?:元|块|毛|折|天|日|小时|分钟|个月|年|周|号|码|斤|公斤|厘米|米|件|次|倍|成|人))"
)
_SIZE: Final = re.compile(r"(?<![A-Za-z])(?:\d{1,2}X?L|X{1,5}[SL]|[SML])(?![A-Za-z])")
_PROMISE: Final = re.compile(
    r"免费|赠送|包邮|打折|折扣|优惠|满减|返现|补偿|赔偿|赔付|退款|全额|保证|承诺|终身|永久|最低价|有货|现货|库存|正品"
    r"|\b(?:free|discount|guarantee|refund|compensat\w*|in stock)\b",
    re.I,
)
_DIGITS: Final = str.maketrans("零一二两三四五六七八九", "01223456789")


def problems_of(answer: ModelAnswer, evidence: Sequence[str], question: str, rules: str) -> list[str]:
    """What speaks against sending the answer, as stable words; empty when nothing does.

    `evidence` are the texts that were numbered from 1. Only what the answer cites counts, and the question.
    """
    if not answer.can_answer or not answer.answer:
        return ["cannot_answer"]
    found: list[str] = []
    if not answer.evidence or any(not 1 <= number <= len(evidence) for number in answer.evidence):
        found.append("evidence_missing")
    cited = [evidence[number - 1] for number in answer.evidence if 1 <= number <= len(evidence)]
    ground = fold(" \n ".join([*cited, question]))
    said = fold(answer.answer)
    if len(answer.answer) > MAX_ANSWER_CHARACTERS:
        found.append("too_long")
    if not _all_in(_URL.findall(said), ground):
        found.append("address_not_in_evidence")
    if not set(_numbers(said)) <= set(_numbers(ground)):
        found.append("number_not_in_evidence")
    if not set(_sizes(answer.answer)) <= set(_sizes(" ".join([*cited, question]))):
        found.append("size_not_in_evidence")
    if not _all_in(_PROMISE.findall(said), fold(" \n ".join(cited))):
        found.append("promise_not_in_evidence")
    if leaks(said, fold(rules)):
        found.append("rules_leaked")
    if grounded_share(answer.answer, ground) < GROUNDED_SHARE:
        found.append("not_grounded")
    return found


def leaks(said: str, rules: str) -> bool:
    """Whether the text repeats a stretch of the rules, spaces left out."""
    text, secret = "".join(said.split()), "".join(rules.split())
    return any(text[start : start + LEAK_CHARACTERS] in secret for start in range(len(text) - LEAK_CHARACTERS + 1))


def grounded_share(answer: str, ground: str) -> float:
    """How much of the answer's content words stands in the ground, by their pairs of characters; 1 without any."""
    pairs = [pair for word in content_words(answer) for pair in bigrams(word)]
    return sum(pair in ground for pair in pairs) / len(pairs) if pairs else 1.0


def _numbers(text: str) -> list[str]:
    digits = _NUMBER.findall(_SIZE.sub(" ", text.upper()))
    written = [number.rstrip("0").rstrip(".") if "." in number else number for number in digits]
    spoken = [_chinese_number(number) for number in _CHINESE_NUMBER.findall(text)]
    return [number.lstrip("0") or "0" for number in [*written, *spoken]]


def _chinese_number(text: str) -> str:
    """Plain Chinese numbers as digits (十五 → 15, 两百 → 200); what is more involved stays as it is written."""
    if match := re.fullmatch(r"([一二两三四五六七八九])?十([一二三四五六七八九])?", text):
        tens, ones = match.groups()
        return f"{(tens or '一').translate(_DIGITS)}{(ones or '零').translate(_DIGITS)}"
    if match := re.fullmatch(r"([一二两三四五六七八九])([百千万])", text):
        return match[1].translate(_DIGITS) + {"百": "00", "千": "000", "万": "0000"}[match[2]]
    return text.translate(_DIGITS) if len(text) == 1 else text


def _sizes(text: str) -> list[str]:
    return [size.upper() for size in _SIZE.findall(text)]


def _all_in(pieces: Iterable[str], ground: str) -> bool:
    return all(piece.rstrip("/").casefold() in ground for piece in pieces)
