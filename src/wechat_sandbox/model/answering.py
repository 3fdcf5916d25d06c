"""Finds, among the numbered passages of a prompt, the one that answers the question, and says so in its words.

No knowledge of its own: nothing that is not in the prompt can come out. The measure is the share of the question's
character pairs and characters that a passage has, words that carry no meaning left out.
"""

import re
from dataclasses import dataclass
from itertools import pairwise

PASSAGE = re.compile(r"^\s*\[(\d{1,4})\]\s*(.*)$")
QUESTION_LABEL = re.compile(
    r"^\s*(?:顾客的?|客户的?|用户的?|当前|最新)?(?:问题|提问|问|消息|customer|question|user|q)\s*[:：]\s*(.+)$", re.I
)
ANSWER_LABEL = re.compile(r"(?:^|[\s\n。？?!！；;])(?:答案|回答|答|answer|a)\s*[:：]\s*", re.I)
SUMMARY_WISH = re.compile(r"摘要|概括|总结|小结|summar", re.I)
CUSTOMER_LINE = re.compile(r"^\s*[-*]?\s*(?:顾客|客户|用户|customer|user)\s*(?:说|[:：])\s*(.+)$", re.I)
SENTENCE_END = re.compile(r"(?<=[。！？!?；;\n])")

# Characters that are in every second question and in every answer.
EMPTY_CHARACTERS = frozenset(
    "的了吗呢啊吧呀么嘛哦有是在我你您他她们这那哪个些什怎样能可以要想会请问给就都也还和与跟或不没多少几吗一下个家店"
)
ENOUGH = 0.34
ANSWER_LIMIT_CHARACTERS = 400
SUMMARY_LINE_CHARACTERS = 40


@dataclass(frozen=True)
class Passage:
    number: int
    text: str


@dataclass(frozen=True)
class Reading:
    """What the prompt asks and offers. `question` may be empty."""

    question: str
    passages: tuple[Passage, ...]


@dataclass(frozen=True)
class Answer:
    """`evidence`: numbers of the passages used; empty when `can_answer` is false."""

    can_answer: bool
    text: str
    evidence: tuple[int, ...]


UNSURE = "这个问题我需要问一下同事，稍后回复您。"
NO_EVIDENCE_GREETING = "你好，我是沙盒里的模型，可以正常使用。"


def read_prompt(messages: list[tuple[str, str]]) -> Reading:
    """`messages` are (role, text). Passages may stand in any of them; the question is in the last of the user's."""
    passages: dict[int, Passage] = {}
    remainders: list[tuple[str, str]] = []
    for role, text in messages:
        found, rest = _split_passages(text)
        if role != "assistant":
            passages.update({one.number: one for one in found})
        remainders.append((role, rest))
    users = [rest for role, rest in remainders if role == "user" and rest.strip()]
    return Reading(question=_question(users[-1]) if users else "", passages=tuple(passages.values()))


def summary(messages: list[tuple[str, str]]) -> str | None:
    """What the customer wanted, first and last, when a summary is what the prompt asks for."""
    if not any(role == "system" and SUMMARY_WISH.search(text) for role, text in messages):
        return None
    spoken = [text for role, text in messages if role == "user"]
    said = [match[1].strip() for text in spoken for line in text.splitlines() if (match := CUSTOMER_LINE.match(line))]
    said = said or [text.strip() for text in spoken if text.strip()]
    if not said:
        return "顾客还没有说话"
    lines = [f"顾客先问：{said[0][:SUMMARY_LINE_CHARACTERS]}"]
    if len(said) > 1:
        lines.append(f"最后说：{said[-1][:SUMMARY_LINE_CHARACTERS]}")
    return "\n".join(lines)


def _split_passages(text: str) -> tuple[list[Passage], str]:
    """The `[n] …` blocks of a text, each up to the next number or an empty line, and what is left."""
    passages: list[Passage] = []
    rest: list[str] = []
    block: list[str] = []  # lines of the passage being read
    number = 0

    def close() -> None:
        if block:
            passages.append(Passage(number, "\n".join(block).strip()))
            block.clear()

    for line in text.splitlines():
        if match := PASSAGE.match(line):
            close()
            number = int(match[1])
            block.append(match[2])
        elif block and line.strip() and not QUESTION_LABEL.match(line):
            block.append(line)
        else:
            close()
            rest.append(line)
    close()
    return passages, "\n".join(rest)


def _question(text: str) -> str:
    labelled = [match[1].strip() for line in text.splitlines() if (match := QUESTION_LABEL.match(line))]
    if labelled:
        return labelled[-1]
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def answer(reading: Reading) -> Answer:
    """The best passage's answer, or `can_answer` false when none has enough of the question in it."""
    if not reading.passages:
        return Answer(False, UNSURE, ())
    scored = [(overlap(reading.question, passage.text), passage) for passage in reading.passages]
    score, best = max(scored, key=lambda pair: pair[0])
    if score < ENOUGH:
        return Answer(False, UNSURE, ())
    return Answer(True, _words_of(best.text, reading.question)[:ANSWER_LIMIT_CHARACTERS], (best.number,))


def overlap(question: str, text: str) -> float:
    """0 to 1: how much of the question the text holds."""
    asked, given = _pieces(question), _pieces(text)
    if not asked[0] or not given[0]:
        return 0.0
    singles = len(asked[0] & given[0]) / len(asked[0])
    if not asked[1]:
        return singles
    pairs = len(asked[1] & given[1]) / len(asked[1])
    return 0.5 * singles + 0.5 * pairs


def _pieces(text: str) -> tuple[set[str], set[str]]:
    """(single characters or words, neighbouring pairs) that carry meaning; Latin words count as one piece."""
    tokens = re.findall(r"[a-z0-9]+|[\u3400-\u9fff]", text.lower())
    meaningful = [token for token in tokens if token not in EMPTY_CHARACTERS]
    pairs = {
        first + second
        for first, second in pairwise(tokens)
        if not (first in EMPTY_CHARACTERS and second in EMPTY_CHARACTERS) and not (first.isascii() and second.isascii())
    }
    return set(meaningful), pairs


def _words_of(passage: str, question: str) -> str:
    """The part after an answer label; else the two sentences that have most of the question, in their order."""
    if label := ANSWER_LABEL.search(passage):
        return passage[label.end() :].strip()
    sentences = [part.strip() for part in SENTENCE_END.split(passage) if part.strip()]
    best = sorted(range(len(sentences)), key=lambda index: -overlap(question, sentences[index]))[:2]
    return "".join(sentences[index] for index in sorted(best))
