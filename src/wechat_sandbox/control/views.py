"""Turns what the sandbox remembers into what its pages show."""

from typing import Any, Literal

from wechat_sandbox.control.schemas import (
    AppCallbackOut,
    AppMessageOut,
    AppOut,
    CallbackAttempt,
    CallbackOut,
    CardButton,
    CardLine,
    ChatOut,
    CorpOut,
    CustomerOut,
    EmployeeOut,
    KfAccountOut,
    LinkView,
    LocationPayload,
    MediaView,
    MenuItem,
    MenuView,
    MessageOut,
    MiniprogramView,
    RecordOut,
    ServicerOut,
    SessionOut,
    TemplateCardView,
    TextcardView,
)
from wechat_sandbox.entities import (
    App,
    AppMessage,
    Callback,
    Corp,
    Customer,
    Employee,
    KfAccount,
    Message,
    Session,
)
from wechat_sandbox.kf.sessions import expire
from wechat_sandbox.world import World

Sender = Literal["customer", "account", "servicer"]

SENDERS: dict[str, Sender] = {"customer": "customer", "api": "account", "servicer": "servicer"}
MEDIA_TYPES = frozenset({"image", "voice", "video", "file"})
PREVIEWS = {
    "image": "[图片]", "voice": "[语音]", "video": "[视频]", "file": "[文件]", "location": "[位置]",
    "business_card": "[名片]", "channels_shop_product": "[商品]", "channels_shop_order": "[订单]",
    "merged_msg": "[聊天记录]", "channels": "[视频号]", "meeting": "[会议]", "calendar": "[日程]", "note": "[笔记]",
    "ca_link": "[名片]",
}  # fmt: skip


EMPLOYEES_SHOWN = 1_000


def media_url(media_id: str) -> str:
    return f"/sandbox/media/{media_id}" if media_id else ""


def avatar_url(world: World, avatar: str) -> str:
    """A media id becomes the sandbox's own url; anything else is a url already, or empty."""
    return media_url(avatar) if avatar in world.media else avatar


def preview(msgtype: str, content: dict[str, Any]) -> str:
    """One line that stands for the message in a list."""
    match msgtype:
        case "text" | "markdown":
            return str(content.get("content", ""))
        case "link":
            return f"[链接] {content.get('title', '')}"
        case "miniprogram":
            return f"[小程序] {content.get('title', '')}"
        case "msgmenu":
            return str(content.get("head_content") or "[菜单]")
        case _:
            return PREVIEWS.get(msgtype, f"[{msgtype}]")


def message_out(world: World, message: Message) -> MessageOut:
    content = message.content
    name, avatar = _sender_face(world, message)
    out = MessageOut(
        seq=message.seq,
        msgid=message.msgid,
        open_kfid=message.open_kfid,
        external_userid=message.external_userid,
        sender=SENDERS[message.source],
        sender_name=name,
        sender_avatar_url=avatar,
        msgtype=message.msgtype,
        text=preview(message.msgtype, content),
        content=content,
        sent_at=message.at,
        state=_state(message.state),
        fail_type=message.fail_type if message.state == "failed" else None,
        recalled=message.recalled,
    )
    match message.msgtype:
        case "image" | "voice" | "video" | "file":
            out.media = media_view(world, content.get("media_id", ""))
        case "link":
            out.link = _link_view(content)
        case "miniprogram":
            out.miniprogram = MiniprogramView(
                title=content.get("title", ""),
                appid=content.get("appid", ""),
                pagepath=content.get("pagepath", ""),
                thumb_url=media_url(content.get("thumb_media_id", "")),
            )
        case "msgmenu":
            out.menu = menu_view(content)
        case "location":
            out.location = LocationPayload.model_validate(content)
    return out


def _state(state: str) -> Literal["accepted", "delivered", "failed"]:
    if state == "accepted":
        return "accepted"
    return "failed" if state == "failed" else "delivered"


def _sender_face(world: World, message: Message) -> tuple[str, str]:
    if message.source == "customer":
        customer = world.customers[message.external_userid]
        return customer.nickname, avatar_url(world, customer.avatar)
    account = world.accounts[message.open_kfid]
    if message.source == "servicer":
        employee = world.employees.get((message.corp_id, message.servicer_userid.lower()))
        name = employee.name if employee else message.servicer_userid
        return name, avatar_url(world, employee.avatar if employee else "")
    return account.name, avatar_url(world, account.avatar)


def media_view(world: World, media_id: str) -> MediaView | None:
    media = world.media.get(media_id)
    if media is None:
        return None
    return MediaView(
        media_id=media_id,
        url=media_url(media_id),
        filename=media.filename,
        content_type=media.content_type,
        bytes=media.bytes,
        seconds=media.seconds,
    )


def _link_view(content: dict[str, Any]) -> LinkView:
    return LinkView(
        title=content.get("title", ""),
        desc=content.get("desc", ""),
        url=content.get("url", ""),
        pic_url=content.get("pic_url") or media_url(content.get("thumb_media_id", "")),
    )


def menu_view(content: dict[str, Any]) -> MenuView:
    items = []
    for item in content.get("list", []):
        kind = item["type"]
        payload = item[kind]
        items.append(
            MenuItem(
                type=kind,
                id=payload.get("id", ""),
                content=payload.get("content", ""),
                url=payload.get("url", ""),
                appid=payload.get("appid", ""),
                pagepath=payload.get("pagepath", ""),
                no_newline=bool(payload.get("no_newline", 0)),
            )
        )
    return MenuView(
        head_content=content.get("head_content", ""), items=items, tail_content=content.get("tail_content", "")
    )


def visible_to_customer(message: Message) -> bool:
    """A message that is still on its way, or failed, never reached the phone."""
    return message.state == "delivered"


def chat_out(world: World, session: Session) -> ChatOut:
    account = world.accounts[session.open_kfid]
    shown = [one for one in world.chat((session.open_kfid, session.external_userid)) if visible_to_customer(one)]
    last = shown[-1] if shown else None
    return ChatOut(
        corp_id=account.corp_id,
        corp_name=world.corps[account.corp_id].name,
        open_kfid=account.open_kfid,
        name=account.name,
        avatar_url=avatar_url(world, account.avatar),
        last_text=preview(last.msgtype, last.content) if last else "",
        last_sender=SENDERS[last.source] if last else None,
        last_at=last.at if last else None,
        last_seq=last.seq if last else 0,
        unread=sum(1 for one in shown if one.source != "customer" and one.seq > session.read_seq),
        session_state=expire(world, session).state,
    )


def session_out(world: World, session: Session) -> SessionOut:
    account = world.accounts[session.open_kfid]
    customer = world.customers[session.external_userid]
    messages = world.chat((session.open_kfid, session.external_userid))
    last = messages[-1] if messages else None
    return SessionOut(
        corp_id=session.corp_id,
        open_kfid=session.open_kfid,
        account_name=account.name,
        external_userid=session.external_userid,
        customer_name=customer.nickname,
        customer_avatar=avatar_url(world, customer.avatar),
        state=session.state,
        servicer_userid=session.servicer_userid,
        last_text=preview(last.msgtype, last.content) if last else "",
        last_sender=SENDERS[last.source] if last else None,
        last_at=last.at if last else None,
        last_seq=last.seq if last else 0,
        unread=sum(1 for one in messages if one.source == "customer" and one.seq > session.servicer_read_seq),
    )


# ---- corps


def app_out(app: App) -> AppOut:
    callback = None
    if app.callback_url:
        callback = AppCallbackOut(
            url=app.callback_url,
            token=app.callback_token,
            encoding_aes_key=app.callback_aes_key,
            verified_at=app.callback_verified_at,
        )
    return AppOut(
        corp_id=app.corp_id,
        agentid=app.agentid,
        name=app.name,
        secret=app.secret,
        trusted_ips=app.trusted_ips,
        kf_permission=app.kf_permission,
        enabled=app.enabled,
        contact_sync=app.contact_sync,
        visible_departments=app.visible_departments,
        visible_users=app.visible_users,
        callback=callback,
    )


def employee_out(world: World, employee: Employee) -> EmployeeOut:
    return EmployeeOut(
        corp_id=employee.corp_id,
        userid=employee.userid,
        name=employee.name,
        avatar=avatar_url(world, employee.avatar),
        departments=employee.departments,
        leads=employee.leads,
        status=employee.status,
    )


def account_out(world: World, account: KfAccount) -> KfAccountOut:
    return KfAccountOut(
        corp_id=account.corp_id,
        open_kfid=account.open_kfid,
        name=account.name,
        avatar_url=avatar_url(world, account.avatar),
        managed_by=account.managed_by,
        servicers=[
            ServicerOut(userid=servicer.userid, status=servicer.status)
            for servicer in world.servicers[account.open_kfid].values()
        ],
    )


def corp_out(world: World, corp: Corp) -> CorpOut:
    return CorpOut(
        corp_id=corp.corp_id,
        name=corp.name,
        apps=[app_out(app) for app in world.corp_apps(corp.corp_id)],
        kf_accounts=[account_out(world, account) for account in world.corp_accounts(corp.corp_id)],
        employees=[employee_out(world, one) for one in world.corp_employees(corp.corp_id)[:EMPLOYEES_SHOWN]],
    )


def customer_out(world: World, customer: Customer) -> CustomerOut:
    return CustomerOut(
        external_userid=customer.external_userid,
        nickname=customer.nickname,
        avatar=avatar_url(world, customer.avatar),
        gender=customer.gender,
        rejects=customer.rejects,
        created_at=customer.created_at,
    )


# ---- app messages, callbacks, records


def app_message_out(world: World, message: AppMessage) -> AppMessageOut:
    content = message.content
    app = world.apps.get((message.corp_id, message.agentid))
    out = AppMessageOut(
        id=message.id,
        msgid=message.msgid,
        corp_id=message.corp_id,
        agentid=message.agentid,
        app_name=app.name if app else str(message.agentid),
        userid=message.userid,
        msgtype=message.msgtype,
        text=preview(message.msgtype, content),
        content=content,
        sent_at=message.at,
        recalled=message.recalled,
    )
    if message.msgtype in MEDIA_TYPES:
        out.media = media_view(world, content.get("media_id", ""))
    elif message.msgtype == "textcard":
        out.text = str(content.get("title", ""))
        out.textcard = TextcardView(
            title=content.get("title", ""),
            description=content.get("description", ""),
            url=content.get("url", ""),
            btntxt=content.get("btntxt") or "详情",
        )
    elif message.msgtype == "template_card":
        out.card = _card_view(message)
        out.text = out.card.title
    return out


def _card_view(message: AppMessage) -> TemplateCardView:
    card = message.content
    main = card.get("main_title") or {}
    lines = [
        CardLine(keyname=line.get("keyname", ""), value=line.get("value", ""), url=line.get("url", ""))
        for line in card.get("horizontal_content_list") or []
    ]
    buttons = [
        CardButton(
            key=button.get("key", ""),
            text=button.get("text", ""),
            style=button.get("style", 1),
            url=button.get("url", ""),
        )
        for button in card.get("button_list") or []
    ]
    if submit := card.get("submit_button"):
        buttons.append(CardButton(key=submit.get("key", ""), text=submit.get("text", "")))
    return TemplateCardView(
        card_type=card.get("card_type", ""),
        task_id=card.get("task_id", ""),
        source=(card.get("source") or {}).get("desc", ""),
        title=main.get("title", ""),
        desc=main.get("desc", ""),
        sub_title_text=card.get("sub_title_text", ""),
        lines=lines,
        buttons=buttons,
        url=(card.get("card_action") or {}).get("url", ""),
        replaced_name=message.replaced_name,
        clicked_key=message.clicked_key,
    )


def callback_out(callback: Callback) -> CallbackOut:
    return CallbackOut.model_validate(
        {
            "id": callback.id,
            "corp_id": callback.corp_id,
            "agentid": callback.agentid,
            "event": callback.event,
            "open_kfid": callback.open_kfid,
            "url": callback.url,
            "body": callback.body,
            "at": callback.at,
            "state": callback.state,
            "fault": callback.fault,
            "attempts": [CallbackAttempt.model_validate(one) for one in callback.attempts],
        }
    )


def record_out(message: Message) -> RecordOut:
    return RecordOut.model_validate(
        {
            "seq": message.seq,
            "msgid": message.msgid,
            "corp_id": message.corp_id,
            "open_kfid": message.open_kfid,
            "external_userid": message.external_userid,
            "source": message.source,
            "msgtype": message.msgtype,
            "text": preview(message.msgtype, message.content),
            "at": message.at,
            "state": message.state,
            "fail_type": message.fail_type if message.state == "failed" else None,
        }
    )
