"""The rules of conversations, by use case. Other modules import from here and nowhere deeper."""

from huitouke.modules.conversations.channels import Channel, ChannelRules, SessionRule, channel
from huitouke.modules.conversations.service.assistant import (
    DEFAULT_AI_LABEL,
    AssistantView,
    Overtaken,
    Turn,
    answerable,
    assistant_view,
    send_assistant_reply,
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
from huitouke.modules.conversations.service.notices import send_again as send_notice_again
from huitouke.modules.conversations.service.sending import SendRequest, retry_message, send_message
from huitouke.modules.conversations.service.summaries import quoted

__all__ = [
    "DEFAULT_AI_LABEL",
    "AssistantView",
    "Channel",
    "ChannelRules",
    "Overtaken",
    "SendRequest",
    "SessionRule",
    "Turn",
    "answerable",
    "ask_staff",
    "assistant_view",
    "channel",
    "close",
    "hand_back",
    "hand_over",
    "mark_read",
    "pause_assistant",
    "paused_until",
    "quoted",
    "retry_message",
    "send_assistant_reply",
    "send_message",
    "send_notice_again",
    "take",
]
