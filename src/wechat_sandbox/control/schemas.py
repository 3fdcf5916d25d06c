"""What crosses the control API. Times are unix seconds of the sandbox's clock; urls are relative to the sandbox."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

LIST_LIMIT = 200
NAME_LIMIT_CHARACTERS = 64

Name = Annotated[str, Field(min_length=1, max_length=NAME_LIMIT_CHARACTERS)]
Identifier = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[0-9A-Za-z_\-@.]+$")]
MediaId = Annotated[str, Field(min_length=1, max_length=128)]
Url = Annotated[str, Field(max_length=2_048)]


class Input(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ErrorOut(BaseModel):
    """Why a call was refused: a stable `error` and a sentence."""

    error: str
    message: str


class Done(BaseModel):
    ok: bool = True


# ---- corps, apps, employees, accounts ----------------------------------------------------------------------------


class AppInput(Input):
    """An app of the corp; without `agentid` and `secret` they are made up (an app of that name keeps its own)."""

    name: Name
    agentid: Annotated[int, Field(ge=1, le=2_147_483_647)] | None = None
    secret: Annotated[str, Field(min_length=8, max_length=64)] | None = None
    trusted_ips: Annotated[list[str], Field(max_length=120)] = Field(
        default_factory=list, description="Callers from elsewhere get 60020; empty: not enforced."
    )
    contact_sync: bool = Field(
        False, description="管理工具 → 通讯录同步: a secret that reads ids only, and the callback for change_contact."
    )


class AppPatch(Input):
    name: Name | None = None
    secret: Annotated[str, Field(min_length=8, max_length=64)] | None = None
    trusted_ips: Annotated[list[str], Field(max_length=120)] | None = None
    trusted_domain: Annotated[str, Field(max_length=200)] | None = Field(
        None, description="Host (and port) that people may be sent back to; empty: any."
    )
    kf_permission: bool | None = Field(None, description="Listed under 微信客服 可调用接口的应用; else 48002.")
    enabled: bool | None = None
    visible_departments: Annotated[list[int], Field(max_length=1_000)] | None = Field(
        None, description="The visible range with `visible_users`; an app that was never given one sees the whole corp."
    )
    visible_users: Annotated[list[Identifier], Field(max_length=1_000)] | None = None


class CallbackConfig(Input):
    """As on the admin page: saved only when the URL answers the verification within 1 s."""

    url: Annotated[str, Field(min_length=8, max_length=2_048, pattern=r"^https?://")]
    token: Annotated[str, Field(min_length=1, max_length=32, pattern=r"^[0-9A-Za-z]+$")]
    encoding_aes_key: Annotated[str, Field(min_length=43, max_length=43, pattern=r"^[0-9A-Za-z]+$")]


class CallbackSaved(BaseModel):
    ok: bool
    error: str | None = Field(None, description="What the URL did wrong, in a sentence.")
    elapsed_ms: int


class AppCallbackOut(BaseModel):
    url: str
    token: str
    encoding_aes_key: str
    verified_at: float | None


class AppOut(BaseModel):
    corp_id: str
    agentid: int
    name: str
    secret: str
    trusted_ips: list[str]
    kf_permission: bool
    enabled: bool
    contact_sync: bool
    visible_departments: list[int] | None = Field(description="Null: the whole corp.")
    visible_users: list[str]
    callback: AppCallbackOut | None


class EmployeeInput(Input):
    userid: Identifier
    name: Name
    avatar: Url = ""


class EmployeeOut(BaseModel):
    corp_id: str
    userid: str
    name: str
    avatar: str
    departments: list[int]
    leads: list[int]
    status: int = Field(description="1 active, 2 disabled, 4 not activated.")


class DepartmentInput(Input):
    """A department; without `id` it gets the next one."""

    id: Annotated[int, Field(ge=2, le=2_147_483_647)] | None = None
    name: Name
    parentid: int = 1
    order: Annotated[int, Field(ge=0, lt=2**32)] = 0


class DepartmentPatch(Input):
    name: Name | None = None
    parentid: int | None = None
    order: Annotated[int, Field(ge=0, lt=2**32)] | None = None


class DepartmentOut(BaseModel):
    corp_id: str
    id: int
    name: str
    parentid: int
    order: int


class MemberInput(Input):
    userid: Identifier
    name: Name
    departments: Annotated[list[int], Field(min_length=1, max_length=20)] = Field(default_factory=lambda: [1])
    leads: Annotated[list[int], Field(max_length=20)] = Field(default_factory=list)


class MemberPatch(Input):
    """`userid`: the account's new name, which WeCom tells as NewUserID."""

    userid: Identifier | None = None
    name: Name | None = None
    departments: Annotated[list[int], Field(min_length=1, max_length=20)] | None = None
    leads: Annotated[list[int], Field(max_length=20)] | None = None
    status: Literal[1, 2, 4] | None = Field(None, description="1 active, 2 disabled, 4 not activated (path/90196).")


class AddressBookInput(Input):
    """Departments first, parents before children, then employees; existing ones stay as they are."""

    departments: Annotated[list[DepartmentInput], Field(max_length=10_000)] = Field(default_factory=list)
    employees: Annotated[list[MemberInput], Field(max_length=10_000)] = Field(default_factory=list)
    tell: bool = Field(True, description="Whether change_contact is sent.")


class FillInput(Input):
    """So many made-up ones beyond the root, a tree in which each department has up to `fan_out` below it."""

    departments: Annotated[int, Field(ge=0, le=20_000)]
    employees: Annotated[int, Field(ge=0, le=200_000)]
    fan_out: Annotated[int, Field(ge=1, le=1_000)] = 15


class AddressBookOut(BaseModel):
    """How large the address book is."""

    departments: int
    employees: int


class KfAccountInput(Input):
    """An account made in the admin console. `managed_by`: agent ids that may use it; null: all apps of the corp."""

    name: Annotated[str, Field(min_length=1, max_length=16)]
    avatar: Url = ""
    managed_by: Annotated[list[int], Field(max_length=100)] | None = None


class KfAccountPatch(Input):
    name: Annotated[str, Field(min_length=1, max_length=16)] | None = None
    avatar: Url | None = None
    managed_by: Annotated[list[int], Field(max_length=100)] | None = None


class ServicerOut(BaseModel):
    userid: str
    status: int = Field(description="0 receives, 1 has stopped")


class KfAccountOut(BaseModel):
    corp_id: str
    open_kfid: str
    name: str
    avatar_url: str
    managed_by: list[int]
    servicers: list[ServicerOut]


class CustomerInput(Input):
    nickname: Name
    avatar: Url = ""
    gender: Annotated[int, Field(ge=0, le=2)] = 0
    external_userid: Identifier | None = Field(None, description="Made up when absent.")


class CustomerPatch(Input):
    nickname: Name | None = None
    avatar: Url | None = None
    rejects: bool | None = Field(None, description="Refuses messages: sends end in msg_send_fail type 10.")


class CustomerOut(BaseModel):
    external_userid: str
    nickname: str
    avatar: str
    gender: int
    rejects: bool
    created_at: float


class CorpOut(BaseModel):
    corp_id: str
    name: str
    apps: list[AppOut]
    kf_accounts: list[KfAccountOut]
    employees: list[EmployeeOut]


class SetupInput(Input):
    """Seeds one corp; the same call again changes nothing. A corp without `corp_id` is found by its name."""

    corp_id: Identifier | None = None
    corp_name: Name
    apps: Annotated[list[AppInput], Field(max_length=50)] = Field(default_factory=list)
    employees: Annotated[list[EmployeeInput], Field(max_length=1_000)] = Field(default_factory=list)
    kf_accounts: Annotated[list[KfAccountInput], Field(max_length=100)] = Field(default_factory=list)
    customers: Annotated[list[CustomerInput], Field(max_length=1_000)] = Field(default_factory=list)


class SetupOut(BaseModel):
    corp: CorpOut
    customers: list[CustomerOut]


class StateOut(BaseModel):
    """Everything but messages. `customers` holds the newest 200; GET /sandbox/customers pages through all."""

    now: float
    model_base_url: str
    model_api_key: str
    corps: list[CorpOut]
    customers: list[CustomerOut]
    customer_count: int


# ---- messages ----------------------------------------------------------------------------------------------------


class LocationPayload(Input):
    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]
    name: Annotated[str, Field(max_length=256)] = ""
    address: Annotated[str, Field(max_length=512)] = ""


class MediaView(BaseModel):
    """A picture, voice, video or file. `expired`: older than 3 days, its bytes are no longer given to apps."""

    media_id: str
    url: str
    filename: str
    content_type: str
    bytes: int
    seconds: int = 0


class LinkView(BaseModel):
    title: str
    desc: str
    url: str
    pic_url: str = Field(description="Picture beside the text; a relative url for uploaded ones; may be empty")


class MiniprogramView(BaseModel):
    title: str
    appid: str
    pagepath: str
    thumb_url: str


class MenuClickItem(BaseModel):
    id: str
    content: str


class MenuItem(BaseModel):
    """One line of a menu: `click` sends its text, `view` opens a url, `miniprogram` a program, `text` is only text."""

    type: Literal["click", "view", "miniprogram", "text"]
    id: str = ""
    content: str
    url: str = ""
    appid: str = ""
    pagepath: str = ""
    no_newline: bool = False


class MenuView(BaseModel):
    head_content: str
    items: list[MenuItem]
    tail_content: str


class MessageOut(BaseModel):
    """A message in a chat. `sender`: customer, account (sent by API) or servicer (employee).

    `text` is always there: the text itself or what a contact list would show ("[图片]"). Exactly one of the
    views is filled, that of the msgtype; `content` is the raw payload for types without a view of their own.
    """

    seq: int
    msgid: str
    open_kfid: str
    external_userid: str
    sender: Literal["customer", "account", "servicer"]
    sender_name: str
    sender_avatar_url: str
    msgtype: str
    text: str
    media: MediaView | None = None
    link: LinkView | None = None
    miniprogram: MiniprogramView | None = None
    menu: MenuView | None = None
    location: LocationPayload | None = None
    content: dict[str, Any]
    sent_at: float
    state: Literal["accepted", "delivered", "failed"]
    fail_type: int | None = None
    recalled: bool


class MessagesOut(BaseModel):
    """Oldest first. `has_more`: older ones (without `after`) or newer ones (with it) remain."""

    items: list[MessageOut]
    has_more: bool


class MessageSent(BaseModel):
    msgid: str
    seq: int
    sent_at: float


class MenuClick(Input):
    msgid: Annotated[str, Field(min_length=1, max_length=64)]
    id: Annotated[str, Field(min_length=1, max_length=128)]


class EnterInput(Input):
    """By a link as add_contact_way gives it, or by account. Either raises enter_session, as scanning the code does."""

    url: Url | None = None
    open_kfid: Identifier | None = None
    scene: Annotated[str, Field(max_length=32)] = ""
    scene_param: Annotated[str, Field(max_length=128)] = ""


class EnterOut(BaseModel):
    corp_id: str
    open_kfid: str
    account_name: str
    account_avatar_url: str
    scene: str
    scene_param: str
    welcome_expected: bool = Field(description="A welcome_code was sent to the account's apps.")


class ChatOut(BaseModel):
    """A line of the customer's contact list."""

    corp_id: str
    corp_name: str
    open_kfid: str
    name: str
    avatar_url: str
    last_text: str
    last_sender: Literal["customer", "account", "servicer"] | None
    last_at: float | None
    last_seq: int
    unread: int
    session_state: int = Field(description="0 new, 1 assistant, 2 waiting, 3 employee, 4 ended or not begun")


class ReadInput(Input):
    seq: Annotated[int, Field(ge=0)] | None = Field(None, description="Read up to here; null: all.")


# ---- the employee's WeCom client -----------------------------------------------------------------------------------


class SessionOut(BaseModel):
    """A session in the employee's client. `state` 2 waits in the pool, 3 is with an employee, 4 has ended."""

    corp_id: str
    open_kfid: str
    account_name: str
    external_userid: str
    customer_name: str
    customer_avatar: str
    state: int
    servicer_userid: str
    last_text: str
    last_sender: Literal["customer", "account", "servicer"] | None
    last_at: float | None
    last_seq: int
    unread: int


class TransferInput(Input):
    userid: Identifier


class ServicerStatusInput(Input):
    """Receives customers again, or stops (for one account, or for all the employee serves)."""

    receiving: bool
    open_kfid: Identifier | None = None


class TextNotice(BaseModel):
    content: str


class TextcardView(BaseModel):
    title: str
    description: str
    url: str
    btntxt: str


class CardButton(BaseModel):
    key: str
    text: str
    style: int = 1
    url: str = ""


class CardLine(BaseModel):
    keyname: str
    value: str
    url: str = ""


class TemplateCardView(BaseModel):
    """The parts of a template card that a page draws; `content` of the message has the whole."""

    card_type: str
    task_id: str
    source: str
    title: str
    desc: str
    sub_title_text: str
    lines: list[CardLine]
    buttons: list[CardButton]
    url: str
    replaced_name: str = Field(description="Not empty: the buttons are gone and this text stands in their place.")
    clicked_key: str


class AppMessageOut(BaseModel):
    id: int
    msgid: str
    corp_id: str
    agentid: int
    app_name: str
    userid: str
    msgtype: str
    text: str = Field(description="Text, markdown source, or what a list would show.")
    textcard: TextcardView | None = None
    card: TemplateCardView | None = None
    media: MediaView | None = None
    content: dict[str, Any]
    sent_at: float
    recalled: bool


class CardClick(Input):
    key: Annotated[str, Field(min_length=1, max_length=1_024)]


# ---- operation -----------------------------------------------------------------------------------------------------


class MediaOut(BaseModel):
    media_id: str
    type: Literal["image", "voice", "video", "file"]
    url: str
    filename: str
    content_type: str
    bytes: int


class Notice(BaseModel):
    """One event of the stream: what changed, with the ids to fetch it by. `reset`: fetch everything again."""

    kind: Literal["message", "session", "app_message", "card", "callback", "robot_message", "reset"]
    corp_id: str | None = None
    open_kfid: str | None = None
    external_userid: str | None = None
    userid: str | None = None
    msgid: str | None = None
    seq: int | None = None
    id: int | None = None


class ClockInput(Input):
    """Exactly one of the two: move forward by, or set the distance to real time."""

    advance_seconds: Annotated[float, Field(ge=0, le=31_622_400)] | None = None
    offset_seconds: Annotated[float, Field(ge=-31_622_400, le=31_622_400)] | None = None


class ClockOut(BaseModel):
    now: float
    offset_seconds: float


class CallbackAttempt(BaseModel):
    at: float
    status: int | None = None
    error: str | None = None
    elapsed_ms: int


class CallbackOut(BaseModel):
    """A callback as sent. `body` is the plain XML before encryption."""

    id: int
    corp_id: str
    agentid: int
    event: str
    open_kfid: str
    url: str
    body: str
    at: float
    state: Literal["waiting", "delivered", "failed", "lost", "refused"]
    fault: str
    attempts: list[CallbackAttempt]


class CallbacksOut(BaseModel):
    items: list[CallbackOut]
    waiting: int


class RecordOut(BaseModel):
    """The sandbox's own book of one message. `source`: customer, servicer, api (sends it accepted)."""

    seq: int
    msgid: str
    corp_id: str
    open_kfid: str
    external_userid: str
    source: Literal["customer", "servicer", "api"]
    msgtype: str
    text: str
    at: float
    state: Literal["accepted", "delivered", "failed"]
    fail_type: int | None = None


class RecordsOut(BaseModel):
    items: list[RecordOut]
    next_after: int | None = Field(description="Pass as `after` for the next page; null at the end.")


class TokensExpired(BaseModel):
    expired: int


class ResetOut(BaseModel):
    ok: bool = True
