"""The rules of conversations, by use case. Other modules import from here and nowhere deeper."""

from huitouke.modules.conversations.channels import REGISTRY as CHANNELS
from huitouke.modules.conversations.channels import (
    AccountRef,
    Channel,
    ChannelError,
    ChannelRules,
    FetchedMedia,
    Outgoing,
    Profile,
    Pulled,
    Servicer,
    SessionRule,
    Sessions,
    channel,
)
from huitouke.modules.conversations.channels.inbound import (
    AccountChanged,
    Entered,
    Inbound,
    Recalled,
    SendingFailed,
    ServicerTook,
    SessionEnded,
)
from huitouke.modules.conversations.service.accounts import add_account
from huitouke.modules.conversations.service.assistant import (
    DEFAULT_AI_LABEL,
    AssistantView,
    Overtaken,
    Reply,
    Turn,
    answerable,
    assistant_views,
    send_assistant_replies,
)
from huitouke.modules.conversations.service.handling import (
    ask_staff,
    close,
    hand_back,
    hand_over,
    mark_read,
    pause_assistant,
    paused_until,
    take,
)
from huitouke.modules.conversations.service.hosted_pages import (
    PageChange,
    PageView,
    change_hosted_page,
    hosted_page,
    open_hosted_page,
)
from huitouke.modules.conversations.service.notices import send_again as send_notice_again
from huitouke.modules.conversations.service.receiving import receive
from huitouke.modules.conversations.service.scope import of_conversation
from huitouke.modules.conversations.service.sending import SendRequest, retry_message, send_message
from huitouke.modules.conversations.service.summaries import quoted

__all__ = [
    "CHANNELS",
    "DEFAULT_AI_LABEL",
    "AccountChanged",
    "AccountRef",
    "AssistantView",
    "Channel",
    "ChannelError",
    "ChannelRules",
    "Entered",
    "FetchedMedia",
    "Inbound",
    "Outgoing",
    "Overtaken",
    "PageChange",
    "PageView",
    "Profile",
    "Pulled",
    "Recalled",
    "Reply",
    "SendRequest",
    "SendingFailed",
    "Servicer",
    "ServicerTook",
    "SessionEnded",
    "SessionRule",
    "Sessions",
    "Turn",
    "add_account",
    "answerable",
    "ask_staff",
    "assistant_views",
    "change_hosted_page",
    "channel",
    "close",
    "hand_back",
    "hand_over",
    "hosted_page",
    "mark_read",
    "of_conversation",
    "open_hosted_page",
    "pause_assistant",
    "paused_until",
    "quoted",
    "receive",
    "retry_message",
    "send_assistant_replies",
    "send_message",
    "send_notice_again",
    "take",
]
