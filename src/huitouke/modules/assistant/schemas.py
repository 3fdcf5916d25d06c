"""What crosses the console's API: knowledge, imports, settings, model, traces."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from huitouke.kernel.masking import masked_unless

MAX_QUESTION_CHARACTERS: Final = 500
MAX_VARIANTS: Final = 50
MAX_ANSWER_BYTES: Final = 1_900
"""A WeChat customer-service text holds 2,048 bytes (path/94677), some of them for the sign that an AI wrote it."""
MAX_GROUP_CHARACTERS: Final = 60
MAX_HANDOVER_WORDS: Final = 200

EntryState = Literal["on", "off"]
ImportState = Literal["previewed", "failed", "applying", "done"]
ImportMode = Literal["add", "replace_same_question"]
KnowledgeField = Literal["question", "variants", "answer", "group", "state"]
Decision = Literal["answered", "asked_colleague", "handed_over", "dropped", "failed"]


def _fits_a_message(text: str) -> str:
    if len(text.encode()) > MAX_ANSWER_BYTES:
        raise ValueError(f"at most {MAX_ANSWER_BYTES} bytes, about {MAX_ANSWER_BYTES // 3} Chinese characters")
    return text


def _writable(text: str) -> str:
    """PostgreSQL can't hold U+0000; lone surrogates can't be sent."""
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("a character that can't be stored")
    return text


QuestionText = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_QUESTION_CHARACTERS),
    AfterValidator(_writable),
]
AnswerText = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1),
    AfterValidator(_writable),
    AfterValidator(_fits_a_message),
]
GroupName = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=MAX_GROUP_CHARACTERS), AfterValidator(_writable)
]
ApiKey = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000, pattern=r"^[!-~]*$")]
"""Travels in a header: visible ASCII alone. Anything else would fail in the client, whose error quotes the header."""
MessageText = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]


class EntryDraft(BaseModel):
    """A new entry."""

    model_config = ConfigDict(extra="forbid")

    question: QuestionText
    variants: Annotated[list[QuestionText], Field(max_length=MAX_VARIANTS)] = []
    answer: AnswerText
    group: GroupName = ""
    state: EntryState = "on"


class EntryChange(BaseModel):
    """A change of an entry; fields left out stay. `version` is the one that was seen: another gives 409."""

    model_config = ConfigDict(extra="forbid")

    question: QuestionText | None = None
    variants: Annotated[list[QuestionText], Field(max_length=MAX_VARIANTS)] | None = None
    answer: AnswerText | None = None
    group: GroupName | None = None
    state: EntryState | None = None
    version: int | None = None


class EntryOut(BaseModel):
    """An entry of the knowledge."""

    id: UUID
    question: str
    variants: list[str]
    answer: str
    group: str
    state: EntryState
    source: str
    version: int
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


class UnansweredOut(BaseModel):
    """Something that customers asked and the assistant had no answer to."""

    question: str
    times: int
    last_at: datetime
    conversation_id: UUID | None


class QuestionsOut(BaseModel):
    """What the shop could tell the assistant next; at most 50 of each."""

    unanswered: list[UnansweredOut] = Field(description="Of the last seven days, the most asked first.")
    blanks: list[EntryOut] = Field(description="Entries that wait for the shop's own words.")


class VersionOut(BaseModel):
    """What an entry said in an earlier version."""

    version: int
    question: str
    variants: list[str]
    answer: str
    group: str
    state: EntryState
    changed_at: datetime
    changed_by: UUID | None


class GroupOut(BaseModel):
    """A group with the number of its entries."""

    name: str
    entries: int


class ImportStart(BaseModel):
    """Begins an import of an uploaded file (purpose `knowledge_import`)."""

    model_config = ConfigDict(extra="forbid")

    file_id: UUID


class ImportApply(BaseModel):
    """Puts a previewed import into the knowledge. `mapping` says which column (from 0) holds which field."""

    model_config = ConfigDict(extra="forbid")

    mapping: dict[KnowledgeField, Annotated[int, Field(ge=0, lt=1000)]] | None = None
    mode: ImportMode = "add"


class RowError(BaseModel):
    """What is wrong with a row. `row` counts as Excel does, from 1; `column` is the field, null for the whole row."""

    row: int
    column: str | None
    message: str


class SampleRow(BaseModel):
    """A row as it will be taken in."""

    row: int
    question: str
    variants: list[str]
    answer: str
    group: str
    state: EntryState


class ImportOut(BaseModel):
    """An import: what was found in the file, and how far it is."""

    id: UUID
    file_name: str
    state: ImportState
    mode: ImportMode | None
    columns: list[str]
    mapping: dict[str, int]
    rows_total: int
    rows_ok: int
    rows_failed: int
    rows_done: int
    added: int
    replaced: int
    skipped: int
    sample: list[SampleRow]
    errors: list[RowError]
    failure: str | None
    created_at: datetime
    finished_at: datetime | None


class EvidenceOut(BaseModel):
    """An entry that was looked at for an answer."""

    entry_id: UUID
    question: str
    score: float
    confidence: float
    used: bool


class CheckOut(BaseModel):
    """One reason for or against the best entry, from 0 to 1; `label` is in the reader's language."""

    name: str
    label: str
    value: float
    applies: bool


class ElapsedOut(BaseModel):
    """Where the time went, in milliseconds."""

    wait: int = 0
    retrieval: int = 0
    model: int = 0
    total: int = 0


CUSTOMERS_WORDS: Final = ("customers.contacts", "conversations.reply")
"""Either lets people read numbers in what customers wrote."""

Said = Annotated[str, masked_unless(*CUSTOMERS_WORDS)]


class TraceOut(BaseModel):
    """Why the assistant answered as it did. `reason_label` is a sentence in the reader's language."""

    id: UUID
    conversation_id: UUID | None
    message_id: UUID | None
    question: Said
    decision: Decision
    reason: str
    reason_label: str
    answer: Said | None
    evidence: list[EvidenceOut]
    checks: list[CheckOut]
    model: str | None
    tokens_in: int | None
    tokens_out: int | None
    elapsed_ms: ElapsedOut
    created_at: datetime


class HistoryMessage(BaseModel):
    """A message before the question, for trying."""

    role: Literal["customer", "assistant", "agent"]
    text: Annotated[str, StringConstraints(max_length=2000)]


class TryQuestion(BaseModel):
    """A question to try without a conversation."""

    model_config = ConfigDict(extra="forbid")

    question: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]
    history: Annotated[list[HistoryMessage], Field(max_length=10)] = []
    use_model: bool = True


class SettingsIn(BaseModel):
    """How the assistant speaks and when it stands back; fields left out stay."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=30)] | None = None
    ai_label: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)] | None = None
    tone: Literal["friendly", "formal", "short"] | None = None
    handover_words: (
        Annotated[
            list[Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=30)]],
            Field(max_length=MAX_HANDOVER_WORDS),
        ]
        | None
    ) = None
    unsure_text: MessageText | None = None
    handover_text: MessageText | None = None
    media_text: MessageText | None = None
    hand_over_when_unsure: bool | None = None
    hand_over_media: bool | None = None
    failed_turns_limit: Annotated[int, Field(ge=1, le=10)] | None = None


class SettingsOut(BaseModel):
    """The same with the pause. `paused_until` null while paused means until told; `paused_by` is a name."""

    name: str
    ai_label: str
    tone: str
    handover_words: list[str]
    unsure_text: str
    handover_text: str
    media_text: str
    hand_over_when_unsure: bool
    hand_over_media: bool
    failed_turns_limit: int
    paused: bool
    paused_until: datetime | None
    paused_by: str | None


class PauseIn(BaseModel):
    """Pauses the assistant for all customers; minutes null means until told."""

    model_config = ConfigDict(extra="forbid")

    paused: bool
    minutes: Annotated[int, Field(ge=1, le=60 * 24 * 31)] | None = None


class ModelIn(BaseModel):
    """An OpenAI-compatible endpoint. `api_key` null keeps the stored one, empty removes it."""

    model_config = ConfigDict(extra="forbid")

    base_url: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
    model: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
    api_key: ApiKey | None = None
    timeout_seconds: Annotated[float, Field(ge=1, le=60)] = 8.0
    enabled: bool = True


class ModelTestIn(BaseModel):
    """What to test; what is left out is taken from the stored endpoint."""

    model_config = ConfigDict(extra="forbid")

    base_url: Annotated[str, StringConstraints(strip_whitespace=True, max_length=500)] | None = None
    model: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)] | None = None
    api_key: ApiKey | None = None
    timeout_seconds: Annotated[float, Field(ge=1, le=60)] | None = None


class ModelOut(BaseModel):
    """The endpoint as it is stored; the key never comes back."""

    base_url: str
    model: str
    has_key: bool
    timeout_seconds: float
    enabled: bool


class ModelTestOut(BaseModel):
    """How the test went, in plain words. `kind` is stable: ok, address, refused, key, model, slow, busy, not_json, …"""

    ok: bool
    kind: str
    message: str
    elapsed_ms: int
    reply: str | None
