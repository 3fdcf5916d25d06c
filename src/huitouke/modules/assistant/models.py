"""Tables of the assistant. Postings, terms and statistics of the index are written by SQL in `sql/` alone."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from huitouke.kernel.database import Base, TenantScoped


class KnowledgeEntry(TenantScoped, Base):
    """A question with its other wordings and the answer the merchant gives to it."""

    __tablename__ = "knowledge_entries"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    question: Mapped[str]
    question_key: Mapped[str] = mapped_column(comment="the question folded, letters and digits alone, to find doubles")
    variants: Mapped[list[str]] = mapped_column(JSONB)
    answer: Mapped[str]
    group_name: Mapped[str]
    state: Mapped[str] = mapped_column(comment="on | off")
    source: Mapped[str] = mapped_column(comment="manual | import | demo")
    version: Mapped[int]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    updated_by: Mapped[UUID | None] = mapped_column(comment="staff.id")
    deleted_at: Mapped[datetime | None]


class KnowledgeVersion(TenantScoped, Base):
    """What an entry said in an earlier version."""

    __tablename__ = "knowledge_versions"

    entry_id: Mapped[UUID] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    question: Mapped[str]
    variants: Mapped[list[str]] = mapped_column(JSONB)
    answer: Mapped[str]
    group_name: Mapped[str]
    state: Mapped[str]
    changed_at: Mapped[datetime]
    changed_by: Mapped[UUID | None]


class KnowledgeImport(TenantScoped, Base):
    """An uploaded file on its way into the knowledge."""

    __tablename__ = "knowledge_imports"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    file_id: Mapped[UUID]
    file_name: Mapped[str]
    state: Mapped[str] = mapped_column(comment="previewed | failed | applying | done")
    mode: Mapped[str | None] = mapped_column(comment="add | replace_same_question")
    columns: Mapped[list[str]] = mapped_column(JSONB)
    mapping: Mapped[dict[str, int]] = mapped_column(JSONB, comment="field → column index")
    rows_total: Mapped[int]
    rows_ok: Mapped[int]
    rows_failed: Mapped[int]
    rows_done: Mapped[int]
    added: Mapped[int]
    replaced: Mapped[int]
    skipped: Mapped[int]
    sample: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    errors: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    failure: Mapped[str | None] = mapped_column(comment="stable reason why the file can't be read")
    created_at: Mapped[datetime]
    created_by: Mapped[UUID | None]
    finished_at: Mapped[datetime | None]


class ImportChunk(TenantScoped, Base):
    """A chunk of an import that is in: what is written here is not applied again."""

    __tablename__ = "knowledge_import_chunks"

    import_id: Mapped[UUID] = mapped_column(primary_key=True)
    chunk: Mapped[int] = mapped_column(primary_key=True)
    applied_at: Mapped[datetime]


class IndustryEntry(TenantScoped, Base):
    """An entry that an industry's template brought, and its version as we wrote it last: another is a person's."""

    __tablename__ = "industry_entries"

    industry: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    entry_id: Mapped[UUID]
    version: Mapped[int]


class ReplyTurn(TenantScoped, Base):
    """Messages of a conversation that wait for the assistant, as one turn."""

    __tablename__ = "reply_turns"

    conversation_id: Mapped[UUID] = mapped_column(primary_key=True)
    first_message_at: Mapped[datetime]
    due_at: Mapped[datetime]
    state: Mapped[str] = mapped_column(comment="waiting | answering | idle")
    waiting_seq: Mapped[int] = mapped_column(comment="seq of the newest customer message")
    answered_seq: Mapped[int] = mapped_column(comment="seq up to which the assistant has answered or stood back")
    failed_turns: Mapped[int] = mapped_column(comment="turns in a row that got no answer from the knowledge")


class ReplyTrace(TenantScoped, Base):
    """Why the assistant answered as it did."""

    __tablename__ = "reply_traces"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    conversation_id: Mapped[UUID | None]
    message_id: Mapped[UUID | None] = mapped_column(comment="the assistant's message, when one was sent")
    answered_seq: Mapped[int | None]
    question: Mapped[str]
    decision: Mapped[str] = mapped_column(comment="answered | asked_colleague | handed_over | dropped | failed")
    reason: Mapped[str]
    answer: Mapped[str | None]
    evidence: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    checks: Mapped[list[dict[str, Any]]] = mapped_column(JSONB)
    model: Mapped[str | None]
    tokens_in: Mapped[int | None]
    tokens_out: Mapped[int | None]
    elapsed_ms: Mapped[dict[str, int]] = mapped_column(JSONB, comment="wait, retrieval, model, total in milliseconds")
    created_at: Mapped[datetime]


class AssistantSettings(TenantScoped, Base):
    """How the assistant of a tenant speaks and when it stands back."""

    __tablename__ = "assistant_settings"

    name: Mapped[str]
    ai_label: Mapped[str] = mapped_column(comment="the sign that an AI wrote it; never empty")
    tone: Mapped[str]
    handover_words: Mapped[list[str]] = mapped_column(JSONB)
    unsure_text: Mapped[str]
    handover_text: Mapped[str]
    media_text: Mapped[str]
    hand_over_when_unsure: Mapped[bool]
    hand_over_media: Mapped[bool]
    failed_turns_limit: Mapped[int]
    paused: Mapped[bool]
    paused_until: Mapped[datetime | None] = mapped_column(comment="null while paused: until told")
    paused_by: Mapped[UUID | None] = mapped_column(comment="the staff member; null when nobody of the staff did")
    version: Mapped[int]
    updated_at: Mapped[datetime]


class ModelEndpoint(TenantScoped, Base):
    """An OpenAI-compatible endpoint. One per tenant in this version."""

    __tablename__ = "model_endpoints"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    base_url: Mapped[str]
    model: Mapped[str]
    api_key_sealed: Mapped[str | None]
    timeout_seconds: Mapped[float]
    enabled: Mapped[bool]
    updated_at: Mapped[datetime]
