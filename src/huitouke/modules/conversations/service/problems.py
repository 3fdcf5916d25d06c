"""Why something can't be done with a conversation; each has a sentence in locales under `problems.<type>`."""

from huitouke.kernel.errors import Conflict, InvalidInput, PermissionMissing, Problem, RateLimited


class AlreadyTaken(Conflict):
    """A colleague has it; `name` says who."""

    type = "conversations.already_taken"


class TakeFirst(Conflict):
    """Only who has taken the conversation may write in it or hand it on."""

    type = "conversations.take_first"


class ConversationClosed(Conflict):
    """It is over; only the customer's next message opens it again."""

    type = "conversations.closed"


class WithServicer(Conflict):
    """A servicer in the WeCom app has the session; nothing but its end brings it back (path/94669)."""

    type = "conversations.with_servicer"


class WithAssistant(Conflict):
    """The assistant has it already."""

    type = "conversations.with_assistant"


class AssistantOff(Conflict):
    """The account's assistant is switched off, so nothing can be handed back to it."""

    type = "conversations.assistant_off"


class WindowClosed(Conflict):
    """More than 48 hours since the customer's last message; `hours` says how many the channel gives."""

    type = "conversations.window_closed"


class NoMessagesLeft(Conflict):
    """All messages allowed after the customer's last one are used; `limit` says how many those are."""

    type = "conversations.no_messages_left"


class TextTooLong(InvalidInput):
    """`bytes` of UTF-8 where the channel takes `limit`; `characters` is about what to cut."""

    type = "conversations.text_too_long"


class EmptyMessage(InvalidInput):
    """Neither text nor file nor card."""

    type = "conversations.empty_message"


class OneAtATime(InvalidInput):
    """More than one of text, file and card."""

    type = "conversations.one_at_a_time"


class CardNotSendable(InvalidInput):
    """The channel has no cards of this kind."""

    type = "conversations.card_not_sendable"


class CardTextMissing(InvalidInput):
    """A text that the card can't do without."""

    type = "conversations.card_text_missing"


class CardTextTooLong(InvalidInput):
    """`bytes` of UTF-8 where the channel takes `limit`; `characters` is about what to cut."""

    type = "conversations.card_text_too_long"


class CardAddressInvalid(InvalidInput):
    """A card's link that no phone opens: WeChat wants http:// or https:// before it."""

    type = "conversations.card_address_invalid"


class CardAppidInvalid(InvalidInput):
    """No AppID of a mini program."""

    type = "conversations.card_appid_invalid"


class CardPictureInvalid(InvalidInput):
    """The file can't be the picture of a card."""

    type = "conversations.card_picture_invalid"


class MenuWithoutChoice(InvalidInput):
    """A menu of which nothing can be tapped."""

    type = "conversations.menu_without_choice"


class MenuTooLong(InvalidInput):
    """More than `limit` entries, or more than `buttons` that can be tapped."""

    type = "conversations.menu_too_long"


class KindNotSendable(InvalidInput):
    """The channel can't send this kind of file; `media_type` says which."""

    type = "conversations.kind_not_sendable"


class FileTooLarge(InvalidInput):
    """`bytes` where the channel takes `limit`."""

    type = "conversations.file_too_large"


class NotRetryable(Conflict):
    """Only messages that failed, or whose fate is unknown, can be sent again."""

    type = "conversations.not_retryable"


class NoHandoverToServicer(Conflict):
    """This channel has no servicers of its own."""

    type = "conversations.no_servicers"


class AccountExists(Conflict):
    """The 客服账号 is connected already."""

    type = "conversations.account_exists"


class AccountDisconnected(Conflict):
    """The 客服账号 was disconnected: its conversations can be read, nothing more."""

    type = "conversations.account_disconnected"


class NotOfWecom(Conflict):
    """Only a 客服账号 of 微信客服 has this."""

    type = "conversations.not_of_wecom"


class NothingToSendAgain(Conflict):
    """Nobody waits in the conversation, or the card that tells of it has gone out."""

    type = "conversations.nothing_to_send_again"


class NotManageable(Conflict):
    """WeCom doesn't let this app manage the 客服账号 by API."""

    type = "conversations.not_manageable"


class WecomRefused(Problem):
    """WeCom refused; `code` is its number, `reason` the sentence with the cure."""

    status = 502
    type = "conversations.wecom_refused"


class PageOff(PermissionMissing):
    """The shop has switched its chat page off; `name` is what the page is called."""

    type = "conversations.page_off"


class VisitorThrottled(RateLimited):
    """Too many messages or visits, of this visitor, from this address, or on this page."""

    type = "conversations.visitor_throttled"
