"""The phone: customers, their contact list, their chats."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from wechat_sandbox.control.common import REFUSALS, TheWorld, customer_of, kf_account_of
from wechat_sandbox.control.payloads import CustomerMessageInput
from wechat_sandbox.control.schemas import (
    LIST_LIMIT,
    ChatOut,
    CustomerInput,
    CustomerOut,
    CustomerPatch,
    Done,
    EnterInput,
    EnterOut,
    MenuClick,
    MessageOut,
    MessageSent,
    MessagesOut,
    ReadInput,
)
from wechat_sandbox.control.views import (
    MEDIA_TYPES,
    avatar_url,
    chat_out,
    customer_out,
    menu_view,
    message_out,
    visible_to_customer,
)
from wechat_sandbox.entities import Message
from wechat_sandbox.errors import conflict, invalid, not_found
from wechat_sandbox.kf.customers import make_customer
from wechat_sandbox.kf.links import resolve_link
from wechat_sandbox.kf.messages import customer_enters, customer_recalls, customer_sends
from wechat_sandbox.kf.sessions import publish_session
from wechat_sandbox.world import World

# msgtypes whose content never reaches an app (path/94670)
WITHOUT_CONTENT = frozenset({"meeting", "calendar", "note"})

router = APIRouter(prefix="/sandbox/customers", tags=["phone"], responses=REFUSALS)

Limit = Annotated[int, Query(ge=1, le=LIST_LIMIT)]


@router.get("", operation_id="list_customers")
async def list_customers(
    world: TheWorld, q: Annotated[str, Query(max_length=64)] = "", offset: Annotated[int, Query(ge=0)] = 0,
    limit: Limit = 50,
) -> list[CustomerOut]:  # fmt: skip
    """Newest first; `q` is a part of the nickname."""
    found = [one for one in reversed(list(world.customers.values())) if q in one.nickname]
    return [customer_out(world, one) for one in found[offset : offset + limit]]


@router.post("", operation_id="create_customer")
async def create_customer(world: TheWorld, wanted: CustomerInput) -> CustomerOut:
    return customer_out(world, make_customer(world, wanted))


@router.get("/{external_userid}", operation_id="get_customer")
async def get_customer(world: TheWorld, external_userid: str) -> CustomerOut:
    return customer_out(world, customer_of(world, external_userid))


@router.patch("/{external_userid}", operation_id="update_customer")
async def update_customer(world: TheWorld, external_userid: str, patch: CustomerPatch) -> CustomerOut:
    customer = customer_of(world, external_userid)
    customer.nickname = patch.nickname if patch.nickname is not None else customer.nickname
    customer.avatar = patch.avatar if patch.avatar is not None else customer.avatar
    customer.rejects = patch.rejects if patch.rejects is not None else customer.rejects
    world.save(customer)
    return customer_out(world, customer)


@router.post("/{external_userid}/enter", operation_id="enter_chat")
async def enter_chat(world: TheWorld, external_userid: str, wanted: EnterInput) -> EnterOut:
    """Opens an account's chat as by its link or code: apps get enter_session, with a welcome_code when one is due."""
    customer = customer_of(world, external_userid)
    if (wanted.url is None) == (wanted.open_kfid is None):
        raise invalid("Give either url or open_kfid.")
    scene, scene_param = wanted.scene, wanted.scene_param
    if wanted.url is not None:
        open_kfid, scene, scene_param = resolve_link(world, wanted.url)
    else:
        open_kfid = wanted.open_kfid or ""
    account = kf_account_of(world, open_kfid)
    _, welcome = customer_enters(world, account, customer, scene, scene_param)
    return EnterOut(
        corp_id=account.corp_id,
        open_kfid=account.open_kfid,
        account_name=account.name,
        account_avatar_url=avatar_url(world, account.avatar),
        scene=scene,
        scene_param=scene_param,
        welcome_expected=welcome,
    )


@router.get("/{external_userid}/chats", operation_id="list_chats")
async def list_chats(world: TheWorld, external_userid: str) -> list[ChatOut]:
    """The contact list, last spoken first; at most 200."""
    customer_of(world, external_userid)
    sessions = world.sessions_of.get(external_userid, [])
    chats = [chat_out(world, one) for one in sessions if not world.accounts[one.open_kfid].deleted]
    return sorted(chats, key=lambda chat: chat.last_at or 0.0, reverse=True)[:LIST_LIMIT]


@router.get("/{external_userid}/chats/{open_kfid}/messages", operation_id="list_chat_messages")
async def list_chat_messages(
    world: TheWorld, external_userid: str, open_kfid: str,
    after: Annotated[int | None, Query(ge=0, description="Only messages with a greater seq")] = None,
    before: Annotated[int | None, Query(ge=0, description="Only messages with a smaller seq")] = None,
    limit: Limit = 50,
) -> MessagesOut:  # fmt: skip
    """What the phone shows: the newest `limit`, the ones before `before`, or the first ones after `after`."""
    customer_of(world, external_userid)
    shown = [one for one in world.chat((open_kfid, external_userid)) if visible_to_customer(one)]
    return page(world, shown, after, before, limit)


@router.get("/{external_userid}/chats/{open_kfid}/messages/{msgid}", operation_id="get_chat_message")
async def get_chat_message(world: TheWorld, external_userid: str, open_kfid: str, msgid: str) -> MessageOut:
    return message_out(world, _message_of(world, external_userid, open_kfid, msgid))


@router.post("/{external_userid}/chats/{open_kfid}/messages", operation_id="send_customer_message")
async def send_customer_message(
    world: TheWorld, external_userid: str, open_kfid: str, wanted: CustomerMessageInput
) -> MessageSent:
    """Sends from the phone; the payload must stand under the name of its msgtype."""
    customer = customer_of(world, external_userid)
    content = payload(world, wanted, wanted.msgtype)
    message = customer_sends(world, kf_account_of(world, open_kfid), customer, wanted.msgtype, content)
    return MessageSent(msgid=message.msgid, seq=message.seq, sent_at=message.at)


@router.post("/{external_userid}/chats/{open_kfid}/messages/{msgid}/recall", operation_id="recall_customer_message")
async def recall_customer_message(world: TheWorld, external_userid: str, open_kfid: str, msgid: str) -> Done:
    """Within two minutes; apps get user_recall_msg."""
    customer_recalls(world, kf_account_of(world, open_kfid), customer_of(world, external_userid), msgid)
    return Done()


@router.post("/{external_userid}/chats/{open_kfid}/menu-click", operation_id="click_menu")
async def click_menu(world: TheWorld, external_userid: str, open_kfid: str, click: MenuClick) -> MessageSent:
    """A tap on a menu's line of type click sends its text, with its id as menu_id."""
    menu = _message_of(world, external_userid, open_kfid, click.msgid)
    if menu.msgtype != "msgmenu":
        raise conflict("This message is no menu.")
    item = next((one for one in menu_view(menu.content).items if one.type == "click" and one.id == click.id), None)
    if item is None:
        raise not_found("line in this menu", click.id)
    content = {"content": item.content, "menu_id": item.id}
    customer = customer_of(world, external_userid)
    message = customer_sends(world, kf_account_of(world, open_kfid), customer, "text", content)
    return MessageSent(msgid=message.msgid, seq=message.seq, sent_at=message.at)


@router.post("/{external_userid}/chats/{open_kfid}/read", operation_id="read_chat")
async def read_chat(world: TheWorld, external_userid: str, open_kfid: str, wanted: ReadInput) -> Done:
    session = world.sessions.get((open_kfid, external_userid))
    if session is None:
        raise not_found("chat with account", open_kfid)
    messages = world.chat((open_kfid, external_userid))
    last = messages[-1].seq if messages else 0
    seq = last if wanted.seq is None else min(wanted.seq, last)
    if seq > session.read_seq:
        session.read_seq = seq
        world.save(session)
        publish_session(world, session)
    return Done()


def page(world: World, messages: list[Message], after: int | None, before: int | None, limit: int) -> MessagesOut:
    """A page of `messages`, which are in order."""
    if after is not None:
        newer = [one for one in messages if one.seq > after]
        return MessagesOut(items=[message_out(world, one) for one in newer[:limit]], has_more=len(newer) > limit)
    older = messages if before is None else [one for one in messages if one.seq < before]
    return MessagesOut(items=[message_out(world, one) for one in older[-limit:]], has_more=len(older) > limit)


def payload(world: World, wanted: Any, msgtype: str) -> dict[str, Any]:
    """The content under the name of the msgtype; refuses a missing one, or an unknown media id."""
    if msgtype in WITHOUT_CONTENT:
        return {}
    part = getattr(wanted, msgtype)
    if part is None:
        raise invalid(f"The payload {msgtype!r} is missing.")
    content: dict[str, Any] = part.model_dump(exclude_none=True)
    if msgtype in MEDIA_TYPES and content["media_id"] not in world.media:
        raise not_found("media", content["media_id"])
    return content


def _message_of(world: World, external_userid: str, open_kfid: str, msgid: str) -> Message:
    customer_of(world, external_userid)
    for message in world.chat((open_kfid, external_userid)):
        if message.msgid == msgid:
            return message
    raise not_found("message in this chat", msgid)
