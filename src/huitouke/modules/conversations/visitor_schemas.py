"""What crosses the visitors' API; the same models are the frames of their sockets.

Visitors see who answers only as "the assistant" or "a person": names, ids and states of the shop's side stay inside.
"""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

MAX_TEXT_CHARACTERS = 1_000
MAX_CLIENT_ID_CHARACTERS = 64

Author = Literal["visitor", "assistant", "person", "shop"]
Line = Literal["handed_over", "taken", "closed"]


class VisitorMessage(BaseModel):
    """A message as the visitor sees it, or a line that says what happened."""

    id: UUID
    seq: int
    changed_seq: int
    by: Author
    ai: bool = Field(description="Written by a machine; the page says so beside it.")
    text: str | None = Field(description="Null: it was taken back, or is of a kind that this page can't show.")
    line: Line | None = Field(description="What happened, where it is no message.")
    client_id: str | None = Field(description="Of a message of the visitor's own, as the page chose it.")
    sent_at: datetime


class Chat(BaseModel):
    """The visitor's one conversation."""

    id: UUID
    seq: int = Field(description="Its highest number: from here the socket goes on.")
    open: bool
    with_person: bool = Field(description="People answer; else the assistant does.")
    waiting: bool = Field(description="A person has been asked for and nobody has come yet.")


class ChatMessage(BaseModel):
    """What the page gets of a message."""

    kind: Literal["message"] = "message"
    seq: int
    message: VisitorMessage


class ChatChanged(BaseModel):
    """What the page gets of the conversation itself."""

    kind: Literal["chat"] = "chat"
    seq: int
    chat: Chat


class Page(BaseModel):
    """What stands on the page."""

    name: str
    avatar_url: str | None
    color: str
    greeting: str
    questions: list[str]
    assistant: bool = Field(description="Whether an AI answers first.")
    record_number: str


class Visit(BaseModel):
    """All that the page needs to begin: itself, and what was said before, oldest first."""

    page: Page
    chat: Chat | None = Field(description="Null until the visitor has written.")
    messages: list[VisitorMessage]
    has_more: bool = Field(description="Whether there are older ones.")
    text_limit: int = MAX_TEXT_CHARACTERS


class VisitorMessages(BaseModel):
    """Messages, oldest first."""

    chat: Chat | None
    items: list[VisitorMessage]
    has_more: bool


class VisitorMessageIn(BaseModel):
    """What the visitor writes. The same `client_id` again is the same message."""

    client_id: Annotated[
        str, StringConstraints(min_length=8, max_length=MAX_CLIENT_ID_CHARACTERS, pattern="^[A-Za-z0-9-]+$")
    ]
    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_TEXT_CHARACTERS)]


class Sent(BaseModel):
    """The message as it is stored, and the conversation that it stands in."""

    chat: Chat
    message: VisitorMessage
