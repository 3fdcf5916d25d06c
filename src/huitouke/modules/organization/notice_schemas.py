"""What crosses the console's API about notices: the list, one's choices, groups' robots, and what went out."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from huitouke.kernel.keys import Secret
from huitouke.modules.organization.notice_models import DeliveryState

Minute = Annotated[int, Field(ge=0, le=1439, description="Minutes after midnight, in the merchant's time zone.")]
Name = Annotated[str, Field(max_length=100)]


class NoticeOut(BaseModel):
    """Something the person was told."""

    id: UUID
    kind: str
    title: str
    text: str
    link: str = Field(description="A path of the console; empty where there is nothing to open.")
    urgent: bool
    created_at: datetime
    read_at: datetime | None


class UnreadOut(BaseModel):
    """What the bell shows."""

    count: int = Field(description="At most 100.")


class ChannelOut(BaseModel):
    """A way to the person."""

    name: str
    label: str
    reaches: bool = Field(description="Whether it reaches the person at present.")
    hint: str = Field(description="What is missing where it doesn't; else empty.")


class KindOut(BaseModel):
    """Something that the person may be told of."""

    name: str
    label: str
    urgent: bool
    channels: list[str] = Field(description="Those that are on.")


class QuietOut(BaseModel):
    """When the person is left alone; over midnight where `end` is smaller."""

    start: Minute
    end: Minute


class NoticeSettingsOut(BaseModel):
    """What the person chose."""

    channels: list[ChannelOut]
    kinds: list[KindOut]
    quiet: QuietOut | None
    time_zone: str
    mail_open: bool = Field(description="Whether this installation sends e-mail.")
    email: str | None = Field(description="Proven by a code.")
    phone: str | None = Field(description="Proven by a code.")


class ChoiceIn(BaseModel):
    """A kind on or off on a channel."""

    kind: Name
    channel: Name
    wanted: bool


class QuietIn(BaseModel):
    """The quiet hours; null takes them away."""

    quiet: QuietOut | None


class TestIn(BaseModel):
    """The channel to try."""

    channel: Name


EmailAddress = Annotated[str, Field(min_length=3, max_length=254)]


class AddressIn(BaseModel):
    """An e-mail address that the person says is theirs."""

    email: EmailAddress


class CodeIn(BaseModel):
    """The code that was mailed there."""

    code: Annotated[str, Field(min_length=1, max_length=16)]


class LinkMailIn(BaseModel):
    """Where to mail a colleague's link."""

    email: EmailAddress


class LinkMailed(BaseModel):
    """It is on its way."""

    kind: Literal["invitation", "reset"]
    expires_at: datetime


class ForgottenIn(BaseModel):
    """Who can't get in."""

    sign_in_name: Annotated[str, Field(min_length=1, max_length=64)]


class MailOpen(BaseModel):
    """Whether this installation sends e-mail."""

    open: bool


Code = Annotated[str, Field(min_length=1, max_length=64)]


class SmsAccountOut(BaseModel):
    """The account at the provider of SMS."""

    access_key_id: str
    sign: str
    templates: dict[str, str] = Field(description="Our name of a template: the provider's code.")
    state: Literal["new", "working", "failing"]
    error: str | None = Field(description="Why nothing can be sent, and what to do.")
    callback_url: str = Field(description="For receipts and answers: goes into the provider's console.")


class SmsAccountState(BaseModel):
    """Null where there is none."""

    account: SmsAccountOut | None


class SmsAccountIn(BaseModel):
    """The account to use; without a secret the known one stays."""

    access_key_id: Code
    access_key_secret: Secret | None = None
    sign: Code
    templates: Annotated[dict[Code, Code], Field(max_length=50)] = Field(default_factory=dict)


class RobotOut(BaseModel):
    """A robot of one of the merchant's groups."""

    id: UUID
    name: str
    kinds: list[str]
    created_at: datetime


class RobotIn(BaseModel):
    """A robot to enter."""

    name: Annotated[str, Field(min_length=1, max_length=40)]
    webhook: Annotated[Secret, Field(description="The address that WeCom shows of it; its key is sealed.")]
    kinds: Annotated[list[Name], Field(max_length=100)]


class RobotPut(BaseModel):
    """Name of a robot, and what it tells."""

    name: Annotated[str, Field(min_length=1, max_length=40)]
    kinds: Annotated[list[Name], Field(max_length=100)]


class GroupKind(BaseModel):
    """Something that groups can be told of."""

    name: str
    label: str


class RobotsOut(BaseModel):
    """All robots, and what they can tell."""

    items: list[RobotOut]
    kinds: list[GroupKind]
    maximum: int


class DeliveryOut(BaseModel):
    """A notice on its way out of the console."""

    id: UUID
    channel: str
    channel_label: str
    recipient: str = Field(description="Name of the person or of the robot.")
    to_group: bool
    kind: str
    kind_label: str
    state: DeliveryState
    attempts: int
    due_at: datetime
    error_code: str | None
    error: str | None = Field(description="What happened, and what to do about it.")
    created_at: datetime
    changed_at: datetime


DeliveryView = Literal["all", "not_told"]
