"""Sentences for WeCom's error codes: what happened, and what a shop owner does about it.

Codes from path/91039 (token), 90313 (list), 94677 and its neighbours (微信客服), 90253 (media), 90236 (app messages).
"""

from typing import Literal, TypedDict

Locale = Literal["zh-CN", "en"]
Text = TypedDict("Text", {"zh-CN": str, "en": str})


def _text(chinese: str, english: str) -> Text:
    return {"zh-CN": chinese, "en": english}


FALLBACK_TEXT = _text(
    "企业微信返回了错误 {code}。请稍后再试；如果一直出现，请把这个编号告诉技术人员。",
    "WeCom answered with error {code}. Try again later; if it stays, give this number to your technician.",
)
IP_TEXT = _text("要填的地址是 {ip}。", " The address to enter is {ip}.")

TRANSPORT_TEXTS: dict[str, Text] = {
    "connect": _text(
        "连不上企业微信。请检查服务器的网络和防火墙，网络恢复后会自动继续。",
        "WeCom can't be reached. Check the server's network and firewall; work goes on by itself once it is back.",
    ),
    "timeout": _text(
        "企业微信太久没有回应，可能是网络慢或对方繁忙。请稍后再试。",
        "WeCom took too long to answer; the network is slow or WeCom is busy. Try again later.",
    ),
    "broken": _text(
        "和企业微信的连接中途断开了。请稍后再试；经常出现请检查服务器的网络。",
        "The connection to WeCom broke off. Try again later; if it happens often, check the server's network.",
    ),
    "server_error": _text(
        "企业微信的服务器暂时出错。不用改设置，请过几分钟再试。",
        "WeCom's server has a fault at the moment. No setting is wrong; try again in a few minutes.",
    ),
    "not_found": _text(
        "这个地址上没有企业微信的接口。请检查“企业微信接口地址”的设置。",
        "There is no WeCom interface at this address. Check the setting of WeCom's base address.",
    ),
    "not_json": _text(
        "收到的回答不是企业微信发出的，可能被代理或网关改写。请检查服务器的网络出口。",
        "The answer did not come from WeCom; a proxy or gateway may have changed it. Check the server's way out.",
    ),
    "too_large": _text(
        "内容太大，超过了允许的大小，没有下载。",
        "The content is larger than allowed and was not downloaded.",
    ),
    "token_wait": _text(
        "正在等待企业微信的访问凭证，等得太久了。请一分钟后再试。",
        "Waiting for WeCom's access token took too long. Try again in a minute.",
    ),
}

ERRCODE_TEXTS: dict[int, Text] = {
    -1: _text("企业微信现在很忙。请稍后再试。", "WeCom is busy. Try again a little later."),
    # Credentials and rights: path/91039
    40001: _text(
        "应用的 Secret 不对，可能填错或已被重置。请到企业微信管理后台的应用详情里重新复制 Secret 填进来。",
        "The app's secret is wrong: mistyped, or reset. Copy it again from the app's page in WeCom's admin console.",
    ),
    40003: _text(
        "企业微信里没有这个成员账号。请检查成员的账号（不是姓名）。",
        "There is no such member in WeCom. Check the member's account id (not the name).",
    ),
    40013: _text(
        "企业 ID 不对。请在企业微信管理后台“我的企业”最下方复制企业 ID。",
        "The corp id is wrong. Copy it from the bottom of “My company” in WeCom's admin console.",
    ),
    40014: _text(
        "访问凭证已失效，系统会自动换一个新的。如果一直出现，请重新保存应用的 Secret。",
        "The access token is no longer valid and is renewed by itself. If this stays, save the app's secret again.",
    ),
    40056: _text(
        "应用的 AgentId 不对。请在企业微信管理后台的应用详情里复制 AgentId。",
        "The AgentId is wrong. Copy it from the app's page in WeCom's admin console.",
    ),
    40058: _text(
        "发给企业微信的内容有一项不符合要求。请检查填写的内容是否为空、过长或含有特殊字符。",
        "One of the values sent to WeCom is not allowed. Check for empty, too long or unusual entries.",
    ),
    40091: _text(
        "这个 Secret 属于另一家企业。请确认企业 ID 和 Secret 来自同一家企业。",
        "This secret belongs to another company. Take the corp id and the secret from the same company.",
    ),
    41001: _text(
        "请求里没有访问凭证。请重新保存应用的 Secret 后再试。",
        "The access token was missing. Save the app's secret again and retry.",
    ),
    41002: _text("没有填写企业 ID。请补上企业 ID。", "The corp id is missing. Enter it."),
    41004: _text("没有填写应用的 Secret。请补上 Secret。", "The app's secret is missing. Enter it."),
    42001: _text(
        "访问凭证已过期，系统会自动换一个新的。如果一直出现，请检查服务器的时间。",
        "The access token has expired and is renewed by itself. If this stays, check the server's clock.",
    ),
    45009: _text(
        "调用太频繁，被企业微信暂时限制了。系统会等一会儿再继续，不用操作。",
        "Too many calls: WeCom has paused us for a while. Work goes on by itself; there is nothing to do.",
    ),
    45033: _text(
        "同一时间的调用太多。系统会自动错开再试。",
        "Too many calls at the same moment. They are spread out and repeated by themselves.",
    ),
    45035: _text(
        "另一个操作正在修改同样的数据。请稍后再试。",
        "Another operation is changing the same data. Try again a little later.",
    ),
    45036: _text(
        "企业微信限制了对这些数据的访问。请在管理后台检查应用的数据权限。",
        "WeCom limits access to these data. Check the app's data rights in the admin console.",
    ),
    48002: _text(
        "这个应用没有权限使用该功能。请在管理后台把它加入“客户联系”或“微信客服”的“可调用接口的应用”。",
        "This app may not use the function. Add it to the apps that may call the API under 客户联系 or 微信客服.",
    ),
    48007: _text(
        "这个客服账号没有交给本应用管理。请在微信客服的“通过API管理微信客服账号”里勾选它。",
        "This service account isn't managed by the app. Tick it under 微信客服, 通过API管理微信客服账号.",
    ),
    50003: _text(
        "这个应用已被停用。请在企业微信管理后台启用它。",
        "The app is disabled. Enable it in WeCom's admin console.",
    ),
    60011: _text(
        "部门或成员不在应用的可见范围内。请在应用详情里扩大可见范围。",
        "The department or member is outside the app's visible range. Widen the range on the app's page.",
    ),
    60020: _text(
        "服务器的 IP 不在应用的可信 IP 里。请在应用详情的“企业可信IP”里加上它。",
        "The server's IP address isn't trusted. Add it to the trusted IPs (企业可信IP) on the app's page.",
    ),
    60021: _text(
        "成员不在应用的可见范围内。请在应用详情里把这位成员加入可见范围。",
        "The member is outside the app's visible range. Add the member to the range on the app's page.",
    ),
    60030: _text(
        "接待人员不在应用的可见范围内。请在应用详情里把这些同事加入可见范围。",
        "A servicer is outside the app's visible range. Add these colleagues to the range on the app's page.",
    ),
    48009: _text(
        "“通讯录同步”的 Secret 只能读取账号列表，读不到姓名。请检查自建应用的 Secret 是否填成了“通讯录同步”的。",
        "The secret of 通讯录同步 reads account ids only. Check that the app's own secret was entered for the app.",
    ),
    60111: _text(
        "企业微信里没有这个成员账号。请检查账号是否填对、是否已离职。",
        "There is no such member in WeCom. Check the account id and whether the person has left.",
    ),
    301002: _text(
        "没有权限操作这个应用。请检查 AgentId 和 Secret 是否属于同一个应用。",
        "No right to use this app. Check that the AgentId and the secret belong to the same app.",
    ),
    301042: _text(
        "服务器的 IP 不在白名单里。请在企业微信管理后台把它加入可信 IP。",
        "The server's IP address isn't on the list. Add it to the trusted IPs in WeCom's admin console.",
    ),
    # 微信客服: path/94638 … 95122
    95000: _text(
        "客服账号 ID 不对，账号可能已被删除。请重新选择客服账号。",
        "The service account's id is wrong; it may have been deleted. Choose the account again.",
    ),
    95001: _text(
        "客户每发一次消息后最多只能回 5 条，已经用完。要等客户再发消息才能继续回复。",
        "At most 5 replies may follow each customer message; they are used up. Wait until the customer writes again.",
    ),
    95002: _text(
        "客户上次发消息已超过 48 小时，不能再回复。要等客户再发消息。",
        "The customer last wrote more than 48 hours ago: no reply is allowed. Wait until the customer writes again.",
    ),
    95003: _text(
        "企业还没有认证，不能发送。请先在企业微信管理后台完成企业认证。",
        "The company isn't verified and may not send. Complete the verification in WeCom's admin console.",
    ),
    95004: _text(
        "客服账号不存在或已停用。请在微信客服里检查这个账号。",
        "The service account doesn't exist or is disabled. Check it under 微信客服.",
    ),
    95005: _text(
        "客服账号的数量到上限了。请先删除不用的客服账号。",
        "The number of service accounts has reached its limit. Delete those you don't use.",
    ),
    95007: _text(
        "这次拉取消息的凭据已过期，系统会换一种方式继续拉取，不用操作。",
        "The ticket for fetching messages has expired; they are fetched in another way. There is nothing to do.",
    ),
    95008: _text(
        "菜单消息里的按钮太多，最多 10 个。请减少选项。",
        "The menu has too many buttons, at most 10 are allowed. Remove some.",
    ),
    95011: _text(
        "微信客服的接口没有开启。请在管理后台“微信客服 → API”里开启，并选上本应用。",
        "The API of 微信客服 isn't switched on. Switch it on under 微信客服, API, and choose this app.",
    ),
    95012: _text(
        "微信客服的使用方式不符合要求。请在企业微信管理后台“微信客服”里确认由本企业的应用管理。",
        "微信客服 is in a mode that doesn't fit. Check under 微信客服 that an app of this company manages it.",
    ),
    95013: _text(
        "这次会话已经结束，不能再发。要等客户再发消息。",
        "This session has ended, nothing can be sent. Wait until the customer writes again.",
    ),
    95014: _text(
        "这位同事不是该客服账号的接待人员，或还没有激活企业微信。请先添加或请对方登录企业微信。",
        "This colleague isn't a servicer of the account or hasn't activated WeCom. Add them, or ask them to sign in.",
    ),
    95016: _text(
        "会话现在的状态不允许这样转接。请刷新后再试；已结束的会话要等客户再发消息。",
        "The session's state doesn't allow this. Refresh and retry; an ended session needs a new customer message.",
    ),
    95017: _text(
        "这个客服账号没有开启“通过API管理”。请在管理后台“微信客服 → API”里开启。",
        "This service account isn't open to the API. Switch it on under 微信客服, API.",
    ),
    95018: _text(
        "会话正由企业微信里的同事接待或在排队，系统不能代发。请在企业微信里回复，或先结束会话。",
        "A colleague handles the session in WeCom, or it is queued, so we can't send. Reply in WeCom, or end it first.",
    ),
    95019: _text(
        "这位接待人员已停止接待。请换一位同事，或请对方在企业微信里恢复接待。",
        "This servicer has stopped receiving. Choose a colleague, or ask them to resume in WeCom.",
    ),
    95020: _text(
        "接待人员数量超过上限。请减少接待人员。",
        "There are too many servicers. Remove some.",
    ),
    95026: _text(
        "客服账号的数量到上限了。请先删除不用的客服账号。",
        "The number of service accounts has reached its limit. Delete those you don't use.",
    ),
    95027: _text(
        "未认证的企业最多 10 个客服账号。请先完成企业认证，或删除不用的账号。",
        "An unverified company may have 10 service accounts. Verify the company, or delete those you don't use.",
    ),
    95031: _text(
        "客户在 48 小时内没有咨询过，不能主动发消息。要等客户先发消息。",
        "The customer hasn't asked anything in 48 hours, so we may not write first. Wait for the customer.",
    ),
    95033: _text(
        "这条消息之前已经发送过，没有重复发送。",
        "This message was sent before and was not sent twice.",
    ),
    # Media: path/90253, 96219
    40004: _text("不支持这种文件类型。请换一种格式。", "This file type isn't supported. Use another format."),
    40005: _text("素材类型不对。请换一种文件再上传。", "The media type is wrong. Upload another file."),
    40006: _text("文件大小不符合要求。请换一个小一点的文件。", "The file's size isn't allowed. Use a smaller file."),
    40007: _text(
        "素材已过期（只保留 3 天）或不存在。请重新上传后再发。",
        "The media has expired (they last 3 days) or doesn't exist. Upload it again.",
    ),
    40008: _text("不支持这种消息类型。请换一种消息。", "This kind of message isn't supported. Use another."),
    40009: _text("图片太大，最大 10 MB。请压缩后再发。", "The picture is too large, at most 10 MB. Make it smaller."),
    40011: _text("视频太大，最大 10 MB。请压缩后再发。", "The video is too large, at most 10 MB. Make it smaller."),
    45001: _text("文件太大。请换一个小一点的文件。", "The file is too large. Use a smaller one."),
    45002: _text("消息太长。请缩短或分成几条。", "The message is too long. Shorten or split it."),
    301019: _text("文件的校验码不对，可能已损坏。请重新上传。", "The file's checksum is wrong. Upload it again."),
    830001: _text(
        "按链接上传没有成功。请检查文件的地址、格式和大小。",
        "The upload by address failed. Check the file's address, format and size.",
    ),
    830002: _text("文件超过 20 MB，只能分段下载。", "The file is larger than 20 MB and can only be fetched in parts."),
    830003: _text(
        "按链接上传没有成功。请检查文件的地址，稍后再试。",
        "The upload by address failed. Check the file's address and try again later.",
    ),
    # App messages: path/90236, 94867
    41006: _text("没有选择素材。请先上传文件。", "No media was chosen. Upload a file first."),
    42052: _text("超过 24 小时的消息不能撤回。", "A message older than 24 hours can't be recalled."),
    44004: _text("消息内容是空的。请填写内容。", "The message is empty. Enter a text."),
    81013: _text(
        "收消息的同事都不在应用的可见范围内，没有发出。请在应用详情里加入这些同事。",
        "None of the receivers is in the app's visible range, nothing was sent. Add them on the app's page.",
    ),
    82001: _text("没有指定接收消息的同事。请选择接收人。", "No receiver was given. Choose one."),
    86001: _text("群聊 ID 不对。请重新选择群聊。", "The group's id is wrong. Choose the group again."),
    86003: _text("群聊不存在或已解散。请重新选择群聊。", "The group doesn't exist any more. Choose another."),
    86004: _text("群名不符合要求，请改短一些。", "The group's name isn't allowed. Make it shorter."),
    86006: _text("群聊人数不符合要求（2 到 2000 人）。", "The group's size isn't allowed (2 to 2000 people)."),
    86007: _text(
        "群成员里有不存在的账号。请检查成员名单。", "A group member doesn't exist. Check the list of members."
    ),
    86215: _text("群聊 ID 已被使用。请换一个。", "The group's id is taken. Use another."),
    86216: _text(
        "群成员里有不存在的账号。请检查成员名单。", "A group member doesn't exist. Check the list of members."
    ),
    86217: _text("发送者不在这个群里。请先加入群聊。", "The sender isn't in this group. Add the sender first."),
    86220: _text(
        "群聊的设置有一项不符合要求。请检查后再试。", "One of the group's settings isn't allowed. Check them."
    ),
    93000: _text("群机器人的地址不对或已被移除。请重新添加机器人。", "The robot's address is wrong or it was removed."),
    93004: _text("群机器人已被停用。请重新启用或换一个。", "The group robot is disabled. Enable it or use another."),
    93008: _text("应用不在这个群里。请先把它加入群聊。", "The app isn't in this group. Add it to the group first."),
}

# fail_type of the event msg_send_fail: path/94670
SEND_FAIL_TEXTS: dict[int, Text] = {
    1: _text("客服账号已被删除，消息没有送达。", "The service account was deleted; the message did not arrive."),
    2: _text(
        "应用已关闭，消息没有送达。请在管理后台启用应用。", "The app is closed; the message did not arrive. Enable it."
    ),
    4: _text(
        "客户上次发消息已超过 48 小时，消息没有送达。要等客户再发消息。",
        "The customer last wrote more than 48 hours ago; the message did not arrive. Wait until the customer writes.",
    ),
    5: _text(
        "会话已经结束，消息没有送达。要等客户再发消息。",
        "The session has ended; the message did not arrive. Wait until the customer writes again.",
    ),
    6: _text(
        "已超过 5 条回复的上限，消息没有送达。要等客户再发消息。",
        "More than 5 replies were sent; the message did not arrive. Wait until the customer writes again.",
    ),
    8: _text(
        "企业还没有认证，消息没有送达。请先完成企业认证。",
        "The company isn't verified; the message did not arrive. Complete the verification.",
    ),
    10: _text("客户拒收了消息。", "The customer refuses messages."),
    11: _text(
        "企业里没有成员登录企业微信，消息没有送达。请让一位同事登录。",
        "Nobody of the company has signed in to WeCom; the message did not arrive. Let a colleague sign in.",
    ),
    12: _text(
        "这种消息不允许发送，没有送达。请换一种消息。",
        "This kind of message may not be sent; it did not arrive. Use another.",
    ),
    13: _text(
        "消息内容没有通过安全检查，没有送达。请修改内容。",
        "The message failed WeCom's security check and did not arrive. Change its content.",
    ),
}
SEND_FAIL_UNKNOWN = _text(
    "消息没有送达，企业微信没有说明原因。请稍后再试。",
    "The message did not arrive, and WeCom did not say why. Try again later.",
)
