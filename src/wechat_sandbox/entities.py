"""What the sandbox remembers, one class per kind of row; times are unix seconds of the sandbox's clock."""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

STATE_NEW = 0
STATE_ASSISTANT = 1
STATE_POOL = 2
STATE_SERVICER = 3
STATE_ENDED = 4

ROOT_DEPARTMENT = 1
ROOT_ORDER = 100_000_000

STATUS_ACTIVE = 1
STATUS_DISABLED = 2
STATUS_NOT_ACTIVATED = 4

ORIGIN_CUSTOMER = 3
ORIGIN_EVENT = 4
ORIGIN_SERVICER = 5


class Entity(Protocol):
    kind: ClassVar[str]

    @property
    def key(self) -> str: ...


@dataclass(slots=True)
class Corp:
    kind: ClassVar[str] = "corp"
    corp_id: str
    name: str

    @property
    def key(self) -> str:
        return self.corp_id


@dataclass(slots=True)
class App:
    """A self-built app. `trusted_ips` or `trusted_domain` empty means that it is not enforced."""

    kind: ClassVar[str] = "app"
    corp_id: str
    agentid: int
    name: str
    secret: str
    trusted_ips: list[str] = field(default_factory=list)
    kf_permission: bool = True
    enabled: bool = True
    trusted_domain: str = ""
    callback_url: str = ""
    callback_token: str = ""
    callback_aes_key: str = ""
    callback_verified_at: float | None = None
    contact_sync: bool = False
    """Not an app but 管理工具 → 通讯录同步: its secret reads ids only, its callback gets change_contact."""
    visible_departments: list[int] | None = None
    """The visible range; None: the whole corp."""
    visible_users: list[str] = field(default_factory=list)

    @property
    def key(self) -> str:
        return f"{self.corp_id}:{self.agentid}"


@dataclass(slots=True)
class AccessToken:
    kind: ClassVar[str] = "access_token"
    token: str
    corp_id: str
    agentid: int
    expires_at: float
    revoked: bool = False
    calls: int = 0

    @property
    def key(self) -> str:
        return self.token


@dataclass(slots=True)
class Department:
    """A part of a corp; `parentid` 0 is the root's alone. `order`: highest first among siblings (path/90208)."""

    kind: ClassVar[str] = "department"
    corp_id: str
    id: int
    name: str
    parentid: int
    order: int = 0

    @property
    def key(self) -> str:
        return f"{self.corp_id}:{self.id}"


@dataclass(slots=True)
class Employee:
    """`leads`: those of the departments whose head the employee is. `status` as in user/get (path/90196)."""

    kind: ClassVar[str] = "employee"
    corp_id: str
    userid: str
    name: str
    avatar: str = ""
    active: bool = True
    departments: list[int] = field(default_factory=lambda: [ROOT_DEPARTMENT])
    leads: list[int] = field(default_factory=list)
    status: int = STATUS_ACTIVE

    @property
    def key(self) -> str:
        return f"{self.corp_id}:{self.userid.lower()}"


@dataclass(slots=True)
class KfAccount:
    """`managed_by`: agent ids under "通过API管理微信客服账号"; an account in nobody's list answers 48007 to all."""

    kind: ClassVar[str] = "kf_account"
    corp_id: str
    open_kfid: str
    name: str
    avatar: str = ""
    managed_by: list[int] = field(default_factory=list)
    deleted: bool = False

    @property
    def key(self) -> str:
        return self.open_kfid


@dataclass(slots=True)
class Servicer:
    """`status` 0 receives customers, 1 has stopped (path/94645)."""

    kind: ClassVar[str] = "servicer"
    open_kfid: str
    userid: str
    status: int = 0

    @property
    def key(self) -> str:
        return f"{self.open_kfid}:{self.userid.lower()}"


@dataclass(slots=True)
class ContactLink:
    kind: ClassVar[str] = "contact_link"
    link_id: str
    enc_scene: str
    open_kfid: str
    scene: str

    @property
    def key(self) -> str:
        return self.link_id


@dataclass(slots=True)
class Customer:
    """`rejects`: refuses messages of all accounts, so that sends end in msg_send_fail type 10."""

    kind: ClassVar[str] = "customer"
    external_userid: str
    nickname: str
    avatar: str = ""
    gender: int = 0
    rejects: bool = False
    created_at: float = 0.0

    @property
    def key(self) -> str:
        return self.external_userid


@dataclass(slots=True)
class Session:
    """One customer with one account. `sends_left`: messages the API may still send until the customer writes again."""

    kind: ClassVar[str] = "session"
    corp_id: str
    open_kfid: str
    external_userid: str
    state: int = STATE_ENDED
    servicer_userid: str = ""
    last_customer_at: float | None = None
    sends_left: int = 0
    welcomed_at: float | None = None
    reply_code_given: bool = False
    read_seq: int = 0
    servicer_read_seq: int = 0
    scene: str = ""
    scene_param: str = ""

    @property
    def key(self) -> str:
        return f"{self.open_kfid}:{self.external_userid}"


@dataclass(slots=True)
class Message:
    """A message or event. `source`: customer, api, servicer or event; `content`: the payload of its msgtype.

    `state`: accepted (on its way), delivered, failed. API sends (`source` api) never appear in sync_msg (path/94670).
    """

    kind: ClassVar[str] = "message"
    seq: int
    msgid: str
    corp_id: str
    open_kfid: str
    external_userid: str
    source: str
    msgtype: str
    content: dict[str, Any]
    at: float
    servicer_userid: str = ""
    state: str = "delivered"
    fail_type: int | None = None
    recalled: bool = False
    agentid: int | None = None

    @property
    def key(self) -> str:
        return f"{self.seq:012d}"


@dataclass(slots=True)
class EventCode:
    """A code that permits one message on an event (path/95122). `scene`: welcome, pool, taken or ended."""

    kind: ClassVar[str] = "event_code"
    code: str
    corp_id: str
    open_kfid: str
    external_userid: str
    scene: str
    expires_at: float
    used: bool = False

    @property
    def key(self) -> str:
        return self.code


@dataclass(slots=True)
class Media:
    """`corp_id` empty: uploaded by a phone, readable by every corp the customer may write to."""

    kind: ClassVar[str] = "media"
    media_id: str
    corp_id: str
    media_type: str
    filename: str
    content_type: str
    bytes: int
    created_at: float
    seconds: int = 0

    @property
    def key(self) -> str:
        return self.media_id


@dataclass(slots=True)
class AppMessage:
    """One app message at one employee. `replaced_name` stands in the place of a card's buttons once it is set."""

    kind: ClassVar[str] = "app_message"
    id: int
    msgid: str
    corp_id: str
    agentid: int
    userid: str
    msgtype: str
    content: dict[str, Any]
    at: float
    recalled: bool = False
    replaced_name: str = ""
    clicked_key: str = ""

    @property
    def key(self) -> str:
        return f"{self.id:012d}"


@dataclass(slots=True)
class ResponseCode:
    """Permits one update of a template card within 72 h (path/94945). `userid` empty: all recipients of the message."""

    kind: ClassVar[str] = "response_code"
    code: str
    corp_id: str
    agentid: int
    msgid: str
    userid: str
    expires_at: float
    used: bool = False

    @property
    def key(self) -> str:
        return self.code


@dataclass(slots=True)
class Callback:
    """One callback and what became of it. `state`: waiting, delivered, failed, lost (by a fault), refused (queue full).

    `attempts`: `{at, status, error, elapsed_ms}` each; `fault` names what the switched-on faults did to it.
    """

    kind: ClassVar[str] = "callback"
    id: int
    corp_id: str
    agentid: int
    event: str
    open_kfid: str
    url: str
    body: str
    at: float
    state: str = "waiting"
    fault: str = ""
    attempts: list[dict[str, Any]] = field(default_factory=list)

    @property
    def key(self) -> str:
        return f"{self.id:012d}"


@dataclass(slots=True)
class Robot:
    """A robot in a group of the corp's own people; whoever has its key may speak there."""

    kind: ClassVar[str] = "robot"
    robot_key: str
    corp_id: str
    name: str
    enabled: bool = True

    @property
    def key(self) -> str:
        return self.robot_key


@dataclass(slots=True)
class RobotMessage:
    """What a robot told its group."""

    kind: ClassVar[str] = "robot_message"
    id: int
    robot_key: str
    msgtype: str
    content: str
    at: float

    @property
    def key(self) -> str:
        return f"{self.id:012d}"


@dataclass(slots=True)
class Setting:
    """A single value that outlives a restart: clock offset, counters, signing key, faults."""

    kind: ClassVar[str] = "setting"
    name: str
    value: Any

    @property
    def key(self) -> str:
        return self.name


KINDS: tuple[type[Any], ...] = (
    Corp,
    App,
    AccessToken,
    Department,
    Employee,
    KfAccount,
    Servicer,
    ContactLink,
    Customer,
    Session,
    Message,
    EventCode,
    Media,
    AppMessage,
    ResponseCode,
    Callback,
    Robot,
    RobotMessage,
    Setting,
)
