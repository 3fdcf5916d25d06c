"""All that the simulated WeCom knows, in memory with indexes, written through to the store.

One asyncio process works on it; every change happens between two awaits, so nothing needs a lock.
"""

from __future__ import annotations

import secrets
from collections import defaultdict, deque
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wechat_sandbox.clock import Clock
from wechat_sandbox.entities import (
    ROOT_DEPARTMENT,
    ROOT_ORDER,
    AccessToken,
    App,
    AppMessage,
    Callback,
    ContactLink,
    Corp,
    Customer,
    Department,
    Employee,
    Entity,
    EventCode,
    KfAccount,
    Media,
    Message,
    ResponseCode,
    Robot,
    RobotMessage,
    Servicer,
    Session,
    Setting,
)
from wechat_sandbox.faults import Dice, Faults
from wechat_sandbox.hub import Hub
from wechat_sandbox.mail import MailServer
from wechat_sandbox.rates import Rates
from wechat_sandbox.sms.phones import Provider
from wechat_sandbox.store import Store
from wechat_sandbox.timers import Timers

if TYPE_CHECKING:
    from wechat_sandbox.callbacks import CallbackSender

CALLBACK_LOG_LIMIT = 1_000


@dataclass(slots=True)
class RecognitionCode:
    """What an app gets for somebody who was recognised; `userid` empty: nobody of the corp. Not kept over a restart."""

    corp_id: str
    userid: str
    expires_at: float
    used: bool = False


ChatKey = tuple[str, str]  # open_kfid, external_userid


class World:
    """The state and its indexes. `save` marks an entity as changed; `flush` makes the changes durable."""

    sender: CallbackSender

    def __init__(self, directory: Path | None = None, seed: int | None = None) -> None:
        self.store = Store(directory)
        self.clock = Clock()
        self.hub = Hub()
        self.dice = Dice(seed)
        self.timers = Timers()
        self.mail = MailServer()
        self.sms = Provider()
        self._forget()
        for entity in self.store.load():
            self._index(entity)
        self._restore_settings()

    def _forget(self) -> None:
        self.faults = Faults()
        self.signing_key = secrets.token_bytes(32)
        self.corps: dict[str, Corp] = {}
        self.apps: dict[tuple[str, int], App] = {}
        self.tokens: dict[str, AccessToken] = {}
        self.employees: dict[tuple[str, str], Employee] = {}
        self.people: defaultdict[str, dict[str, Employee]] = defaultdict(dict)  # of a corp, by userid in lower case
        self.departments: defaultdict[str, dict[int, Department]] = defaultdict(dict)
        self.children: defaultdict[tuple[str, int], set[int]] = defaultdict(set)
        self.members: defaultdict[tuple[str, int], dict[str, Employee]] = defaultdict(dict)
        self.accounts: dict[str, KfAccount] = {}
        self.servicers: defaultdict[str, dict[str, Servicer]] = defaultdict(dict)
        self.links: dict[str, ContactLink] = {}
        self.customers: dict[str, Customer] = {}
        self.sessions: dict[ChatKey, Session] = {}
        self.sessions_of: defaultdict[str, list[Session]] = defaultdict(list)
        self.rates = Rates()
        self.sent_digests: dict[tuple[str, int, str], tuple[float, str]] = {}
        self.app_messages_by_msgid: defaultdict[str, list[AppMessage]] = defaultdict(list)
        self.task_ids: set[tuple[str, int, str]] = set()
        self.chats: defaultdict[ChatKey, list[Message]] = defaultdict(list)
        self.account_log: defaultdict[str, list[Message]] = defaultdict(list)  # what sync_msg returns
        self.book: list[Message] = []  # messages without events, by seq
        self.messages_by_id: dict[tuple[str, str], Message] = {}
        self.codes: dict[str, EventCode] = {}
        self.media: dict[str, Media] = {}
        self.app_messages: dict[int, AppMessage] = {}
        self.inboxes: defaultdict[tuple[str, str], list[AppMessage]] = defaultdict(list)
        self.response_codes: dict[str, ResponseCode] = {}
        self.callbacks: deque[Callback] = deque()
        self.robots: dict[str, Robot] = {}
        self.robot_messages: defaultdict[str, list[RobotMessage]] = defaultdict(list)
        self.settings: dict[str, Setting] = {}
        self.recognition_codes: dict[str, RecognitionCode] = {}
        self._last_seq = 0
        self._last_callback_id = 0

    # ---- persistence

    def save(self, entity: Entity) -> None:
        self.store.put(entity)

    def add(self, entity: Entity) -> None:
        """Takes a new entity into the indexes and the store."""
        self._index(entity)
        self.store.put(entity)

    def flush(self) -> None:
        self.store.flush()

    def reset(self) -> None:
        """Forgets everything: corps, messages, faults and the clock's offset."""
        self.sender.forget()
        self.timers.cancel()
        self.store.clear()
        self.clock.offset_seconds = 0.0
        self._forget()
        self._restore_settings()

    def remember(self, name: str, value: Any) -> None:
        """Keeps a single value across restarts."""
        self.add(Setting(name=name, value=value))

    def _restore_settings(self) -> None:
        def saved(name: str) -> Any:
            setting = self.settings.get(name)
            return None if setting is None else setting.value

        self.clock.offset_seconds = float(saved("clock_offset") or 0.0)
        if (faults := saved("faults")) is not None:
            self.faults = Faults.model_validate(faults)
        if (key := saved("signing_key")) is not None:
            self.signing_key = bytes.fromhex(key)
        else:
            self.remember("signing_key", self.signing_key.hex())
            self.flush()

    # ---- indexes

    def _index(self, entity: Any) -> None:
        match entity:
            case Message():
                self._index_message(entity)
            case Corp():
                self.corps[entity.corp_id] = entity
                root = Department(entity.corp_id, ROOT_DEPARTMENT, entity.name, 0, ROOT_ORDER)
                self.departments[entity.corp_id].setdefault(ROOT_DEPARTMENT, root)
            case App():
                self.apps[(entity.corp_id, entity.agentid)] = entity
            case AccessToken():
                self.tokens[entity.token] = entity
            case Department():
                self.departments[entity.corp_id][entity.id] = entity
                self.children[(entity.corp_id, entity.parentid)].add(entity.id)
            case Employee():
                self._index_employee(entity)
            case KfAccount():
                self.accounts[entity.open_kfid] = entity
            case Servicer():
                self.servicers[entity.open_kfid][entity.userid.lower()] = entity
            case ContactLink():
                self.links[entity.link_id] = entity
            case Customer():
                self.customers[entity.external_userid] = entity
            case Session():
                self.sessions[(entity.open_kfid, entity.external_userid)] = entity
                self.sessions_of[entity.external_userid].append(entity)
            case EventCode():
                self.codes[entity.code] = entity
            case Media():
                self.media[entity.media_id] = entity
            case AppMessage():
                self._index_app_message(entity)
            case ResponseCode():
                self.response_codes[entity.code] = entity
            case Callback():
                self._index_callback(entity)
            case Robot():
                self.robots[entity.robot_key] = entity
            case RobotMessage():
                self._last_seq = max(self._last_seq, entity.id)
                self.robot_messages[entity.robot_key].append(entity)
            case Setting():
                self.settings[entity.name] = entity
            case _:
                raise TypeError(f"no index for {type(entity).__name__}")

    def _index_employee(self, employee: Employee) -> None:
        key = employee.userid.lower()
        self.employees[(employee.corp_id, key)] = employee
        self.people[employee.corp_id][key] = employee
        for department in employee.departments:
            self.members[(employee.corp_id, department)][key] = employee

    def forget_employee(self, employee: Employee) -> None:
        """Takes the employee out of the indexes and the store; `add` brings a changed one back."""
        key = employee.userid.lower()
        del self.employees[(employee.corp_id, key)]
        del self.people[employee.corp_id][key]
        for department in employee.departments:
            self.members[(employee.corp_id, department)].pop(key, None)
        self.store.remove(employee)

    def forget_department(self, department: Department) -> None:
        """Takes the department out of the indexes and the store."""
        del self.departments[department.corp_id][department.id]
        self.children[(department.corp_id, department.parentid)].discard(department.id)
        self.store.remove(department)

    def _index_message(self, message: Message) -> None:
        self._last_seq = max(self._last_seq, message.seq)
        self.messages_by_id[(message.corp_id, message.msgid)] = message
        if message.source != "api":
            self.account_log[message.open_kfid].append(message)
        if message.source != "event":
            self.chats[(message.open_kfid, message.external_userid)].append(message)
            self.book.append(message)

    def _index_app_message(self, message: AppMessage) -> None:
        self._last_seq = max(self._last_seq, message.id)
        self.app_messages[message.id] = message
        self.app_messages_by_msgid[message.msgid].append(message)
        self.inboxes[(message.corp_id, message.userid.lower())].append(message)
        if task_id := message.content.get("task_id"):
            self.task_ids.add((message.corp_id, message.agentid, task_id))

    def _index_callback(self, callback: Callback) -> None:
        self._last_callback_id = max(self._last_callback_id, callback.id)
        self.callbacks.append(callback)
        while len(self.callbacks) > CALLBACK_LOG_LIMIT:
            self.store.remove(self.callbacks.popleft())

    def next_seq(self) -> int:
        """A number for a message or app message, rising over all accounts."""
        self._last_seq += 1
        return self._last_seq

    def next_callback_id(self) -> int:
        self._last_callback_id += 1
        return self._last_callback_id

    # ---- lookups used by several parts

    def corp_apps(self, corp_id: str) -> list[App]:
        return [app for (owner, _), app in self.apps.items() if owner == corp_id]

    def corp_employees(self, corp_id: str) -> list[Employee]:
        return list(self.people[corp_id].values())

    def corp_accounts(self, corp_id: str) -> list[KfAccount]:
        return [one for one in self.accounts.values() if one.corp_id == corp_id and not one.deleted]

    def managing_apps(self, account: KfAccount) -> list[App]:
        """The apps that are told about this account: allowed to manage it, enabled, with kf permission."""
        found = (self.apps.get((account.corp_id, agentid)) for agentid in account.managed_by)
        return [app for app in found if app is not None and app.enabled and app.kf_permission]

    def chat(self, key: ChatKey) -> list[Message]:
        return self.chats.get(key, [])

    def drop_servicer(self, servicer: Servicer) -> None:
        del self.servicers[servicer.open_kfid][servicer.userid.lower()]
        self.store.remove(servicer)
