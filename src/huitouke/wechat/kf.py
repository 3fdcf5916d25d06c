"""微信客服 (path/94638): accounts, links, servicers, session states, messages in and out, customers."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any
from urllib.parse import quote

from huitouke.wechat.client import Answer, Json, WecomClient, shaped
from huitouke.wechat.errors import DuplicateMsgid
from huitouke.wechat.kf_content import MsgMenu, OutgoingContent, Text
from huitouke.wechat.kf_messages import SyncPage, parse_items

ACCOUNT_PAGE = 100
ACCOUNT_LIMIT = 5000  # far beyond what a corp may have: a guard against a page that never ends
NAME_LIMIT_CHARACTERS = 16
SCENE_LIMIT_BYTES = 32
SCENE_PARAM_LIMIT_BYTES = 128
USERID_LIMIT = 100
CUSTOMER_LIMIT = 100
SYNC_LIMIT = 1000
CURSOR_LIMIT_BYTES = 64
MSGID_LIMIT_CHARACTERS = 32
MESSAGES_PER_CUSTOMER_MESSAGE = 5
REPLY_WINDOW_HOURS = 48

_SCENE = re.compile(r"[0-9a-zA-Z_-]*\Z")


class ServiceState(IntEnum):
    """Who serves the session (path/94669)."""

    NEW = 0  # 未处理
    ASSISTANT = 1  # 由智能助手接待: the API answers
    POOL = 2  # 待接入池排队中
    SERVICER = 3  # 由人工接待, in the WeCom client
    ENDED = 4  # 已结束或未开始


SENDING_STATES = frozenset({ServiceState.NEW, ServiceState.ASSISTANT})  # in others send_msg answers 95018 or 95013

# From the text of path/94669. 3 → 2 is not confirmed there and left out; out of 4 only the customer leads.
ALLOWED_TRANSITIONS: dict[ServiceState, frozenset[ServiceState]] = {
    ServiceState.NEW: frozenset({ServiceState.ASSISTANT, ServiceState.POOL, ServiceState.SERVICER, ServiceState.ENDED}),
    ServiceState.ASSISTANT: frozenset({ServiceState.POOL, ServiceState.SERVICER, ServiceState.ENDED}),
    ServiceState.POOL: frozenset({ServiceState.SERVICER, ServiceState.ENDED}),
    ServiceState.SERVICER: frozenset({ServiceState.SERVICER, ServiceState.ENDED}),  # 3 → 3: to another servicer
    ServiceState.ENDED: frozenset(),
}


class TransitionNotAllowed(ValueError):
    """service_state/trans would answer 95016."""

    def __init__(self, current: ServiceState, wanted: ServiceState) -> None:
        self.current = current
        self.wanted = wanted
        super().__init__(f"a session can't go from {current.name} ({current}) to {wanted.name} ({wanted})")


def check_transition(current: ServiceState, wanted: ServiceState) -> None:
    """Raises TransitionNotAllowed where WeCom would refuse the change."""
    if wanted not in ALLOWED_TRANSITIONS[current]:
        raise TransitionNotAllowed(current, wanted)


class KfAccount(Answer):
    """`manage_privilege`: this app may manage the account by API."""

    open_kfid: str
    name: str = ""
    avatar: str = ""
    manage_privilege: bool = False


class ServicerResult(Answer):
    """The outcome for one person or department of servicer/add or del."""

    userid: str = ""
    department_id: int | None = None
    errcode: int
    errmsg: str = ""


class Servicer(Answer):
    """`status` 0 receiving, 1 stopped; `stop_type` 0 stopped, 1 suspended. Either a person or a department."""

    userid: str = ""
    department_id: int | None = None
    status: int = 0
    stop_type: int = 0


class SessionState(Answer):
    """`servicer_userid` is set only in SERVICER."""

    service_state: ServiceState
    servicer_userid: str = ""


class EnterSessionContext(Answer):
    scene: str = ""
    scene_param: str = ""


class KfCustomer(Answer):
    """`gender` 0 unknown, 1 male, 2 female; `unionid` only for corps bound to an open-platform account."""

    external_userid: str
    nickname: str = ""
    avatar: str = ""
    gender: int = 0
    unionid: str = ""
    enter_session_context: EnterSessionContext | None = None


@dataclass(frozen=True, slots=True)
class CustomerBatch:
    """`invalid` were not active within the last 48 hours."""

    customers: tuple[KfCustomer, ...]
    invalid: tuple[str, ...]


class _ServicerResults(Answer):
    result_list: tuple[ServicerResult, ...] = ()


class _ServicerList(Answer):
    servicer_list: tuple[Servicer, ...] = ()


class _NewAccount(Answer):
    open_kfid: str


class _ContactWay(Answer):
    url: str


class _AccountPage(Answer):
    account_list: tuple[KfAccount, ...] = ()


class _CustomerAnswer(Answer):
    customer_list: tuple[KfCustomer, ...] = ()
    invalid_external_userid: tuple[str, ...] = ()


class KfClient:
    """Every method raises WecomError; arguments beyond WeCom's limits raise ValueError before the call."""

    def __init__(self, client: WecomClient) -> None:
        self._client = client

    # Accounts

    async def add_account(self, name: str, media_id: str) -> str:
        """Create a 客服账号; gives its open_kfid (path/94662). `media_id` is the avatar's. Not repeated."""
        _check(1 <= len(name) <= NAME_LIMIT_CHARACTERS, f"a name has 1 to {NAME_LIMIT_CHARACTERS} characters")
        body = {"name": name, "media_id": media_id}
        answer = await self._client.post("kf/account/add", body, idempotent=False)
        return shaped(_NewAccount, answer, "kf/account/add").open_kfid

    async def delete_account(self, open_kfid: str) -> None:
        """Delete a 客服账号 (path/94663)."""
        await self._client.post("kf/account/del", {"open_kfid": open_kfid}, idempotent=True)

    async def update_account(self, open_kfid: str, *, name: str | None = None, media_id: str | None = None) -> None:
        """Change name or avatar (path/94664)."""
        _check(name is None or 1 <= len(name) <= NAME_LIMIT_CHARACTERS, "a name has 1 to 16 characters")
        body = {"open_kfid": open_kfid, **_given(name=name, media_id=media_id)}
        await self._client.post("kf/account/update", body, idempotent=True)

    async def list_accounts(self) -> list[KfAccount]:
        """All 客服账号 that the app sees, all pages (path/94661)."""
        accounts: list[KfAccount] = []
        while len(accounts) < ACCOUNT_LIMIT:
            body = {"offset": len(accounts), "limit": ACCOUNT_PAGE}
            answer = await self._client.post("kf/account/list", body, idempotent=True)
            page = shaped(_AccountPage, answer, "kf/account/list").account_list
            accounts += page
            if len(page) < ACCOUNT_PAGE:
                break
        return accounts

    async def add_contact_way(self, open_kfid: str, scene: str = "") -> str:
        """The link that opens a session with this account (path/94665). `scene` comes back in enter_session."""
        _check(len(scene) <= SCENE_LIMIT_BYTES, f"a scene has at most {SCENE_LIMIT_BYTES} bytes")
        _check(_SCENE.match(scene) is not None, "a scene holds letters, digits, _ and - only")
        body = {"open_kfid": open_kfid, **_given(scene=scene or None)}
        answer = await self._client.post("kf/add_contact_way", body, idempotent=True)
        return shaped(_ContactWay, answer, "kf/add_contact_way").url

    # Servicers

    async def add_servicers(
        self, open_kfid: str, userids: Sequence[str], department_ids: Sequence[int] = ()
    ) -> tuple[ServicerResult, ...]:
        """Let people or departments receive for this account; one result each (path/94646)."""
        return await self._change_servicers("kf/servicer/add", open_kfid, userids, department_ids)

    async def delete_servicers(
        self, open_kfid: str, userids: Sequence[str], department_ids: Sequence[int] = ()
    ) -> tuple[ServicerResult, ...]:
        """Take people or departments away from this account; one result each (path/94647)."""
        return await self._change_servicers("kf/servicer/del", open_kfid, userids, department_ids)

    async def list_servicers(self, open_kfid: str) -> tuple[Servicer, ...]:
        """Who receives for this account (path/94645)."""
        answer = await self._client.get("kf/servicer/list", {"open_kfid": open_kfid})
        return shaped(_ServicerList, answer, "kf/servicer/list").servicer_list

    async def _change_servicers(
        self, path: str, open_kfid: str, userids: Sequence[str], department_ids: Sequence[int]
    ) -> tuple[ServicerResult, ...]:
        _check(bool(userids or department_ids), "name at least one person or department")
        _check(len(userids) <= USERID_LIMIT, f"at most {USERID_LIMIT} people at once")
        body: Json = {"open_kfid": open_kfid}
        if userids:
            body["userid_list"] = list(userids)
        if department_ids:
            body["department_id_list"] = list(department_ids)
        return shaped(_ServicerResults, await self._client.post(path, body, idempotent=True), path).result_list

    # Session state

    async def service_state(self, open_kfid: str, external_userid: str) -> SessionState:
        """Who serves this customer now (path/94669)."""
        body = {"open_kfid": open_kfid, "external_userid": external_userid}
        path = "kf/service_state/get"
        return shaped(SessionState, await self._client.post(path, body, idempotent=True), path)

    async def change_service_state(
        self, open_kfid: str, external_userid: str, state: ServiceState, servicer_userid: str = ""
    ) -> str:
        """Move the session; gives the msg_code for send_msg_on_event, or "" (path/94669).

        SERVICER needs `servicer_userid`. Raises TransitionRefused (95016), ServicerUnavailable (95014, 95019),
        KfSendRefused (95013). Not repeated, as the first success is the only one that gives a code.
        """
        _check(state is not ServiceState.SERVICER or bool(servicer_userid), "a servicer must be named")
        body = {
            "open_kfid": open_kfid,
            "external_userid": external_userid,
            "service_state": int(state),
            **_given(servicer_userid=servicer_userid or None),
        }
        return str((await self._client.post("kf/service_state/trans", body, idempotent=False)).get("msg_code") or "")

    # Messages

    async def sync_msg(self, open_kfid: str, cursor: str = "", token: str = "", limit: int = SYNC_LIMIT) -> SyncPage:
        """The messages after `cursor` (path/94670).

        `token` comes from the callback and is valid for ten minutes; without it a strict frequency limit applies;
        a bad one raises SyncTokenInvalid. Without cursor the last three days come. Voice comes as AMR.
        """
        _check(1 <= limit <= SYNC_LIMIT, f"a page has 1 to {SYNC_LIMIT} messages")
        body = {"open_kfid": open_kfid, "limit": limit, "voice_format": 0}
        body |= _given(cursor=cursor or None, token=token or None)
        answer = await self._client.post("kf/sync_msg", body, idempotent=True)
        entries = answer.get("msg_list")
        return SyncPage(
            next_cursor=str(answer.get("next_cursor") or cursor),
            has_more=answer.get("has_more") in (1, True),
            items=parse_items(entries if isinstance(entries, list) else []),
        )

    async def send_msg(
        self, open_kfid: str, external_userid: str, content: OutgoingContent, *, msgid: str | None = None
    ) -> str:
        """Send to a customer; gives the msgid (path/94677). Accepted is not delivered: watch msg_send_fail.

        With a `msgid` of ours (≤ 32 of 0-9 a-z A-Z _ -) the call may be repeated: 95033 on a repeat of this very
        call counts as accepted, on the first try it is raised as DuplicateMsgid. Raises KfSendRefused for good.
        """
        _check_msgid(msgid)
        body = {"touser": external_userid, "open_kfid": open_kfid, **_given(msgid=msgid), **content.fields()}
        return await self._send("kf/send_msg", body, msgid)

    async def send_msg_on_event(self, code: str, content: Text | MsgMenu, *, msgid: str | None = None) -> str:
        """One message for a welcome_code or msg_code; gives the msgid (path/95122).

        A code serves once: welcome and ending 20 s, text or menu; pool and taken from pool 48 h, text only.
        """
        _check_msgid(msgid)
        body = {"code": code, **_given(msgid=msgid), **content.fields()}
        return await self._send("kf/send_msg_on_event", body, msgid)

    async def _send(self, path: str, body: Json, msgid: str | None) -> str:
        try:
            answer = await self._client.post(path, body, idempotent=msgid is not None)
        except DuplicateMsgid as error:
            if msgid is None or error.tries == 1:
                raise
            return msgid
        return str(answer.get("msgid") or msgid or "")

    # Customers

    async def customers(self, external_userids: Sequence[str], *, with_enter_session: bool = False) -> CustomerBatch:
        """Names and pictures of up to 100 customers who were active within 48 hours (path/95159)."""
        _check(1 <= len(external_userids) <= CUSTOMER_LIMIT, f"1 to {CUSTOMER_LIMIT} customers at once")
        body = {
            "external_userid_list": list(external_userids),
            "need_enter_session_context": 1 if with_enter_session else 0,
        }
        path = "kf/customer/batchget"
        answer = shaped(_CustomerAnswer, await self._client.post(path, body, idempotent=True), path)
        return CustomerBatch(answer.customer_list, answer.invalid_external_userid)


def with_scene_param(url: str, scene_param: str) -> str:
    """A contact way's link with a parameter of ours, which comes back in enter_session (path/94665).

    Works only for links made with a scene. Raises ValueError beyond 128 bytes once encoded, or for other links.
    """
    encoded = quote(scene_param, safe="")
    _check(len(encoded) <= SCENE_PARAM_LIMIT_BYTES, f"at most {SCENE_PARAM_LIMIT_BYTES} bytes once encoded")
    _check("enc_scene=" in url, "the link was made without a scene")
    return f"{url}&scene_param={encoded}"


def _check_msgid(msgid: str | None) -> None:
    if msgid is not None:
        fits = 1 <= len(msgid) <= MSGID_LIMIT_CHARACTERS and _SCENE.match(msgid) is not None
        _check(fits, "a msgid has 1 to 32 letters, digits, _ or -")


def _check(condition: bool, problem: str) -> None:
    if not condition:
        raise ValueError(problem)


def _given(**values: str | None) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
