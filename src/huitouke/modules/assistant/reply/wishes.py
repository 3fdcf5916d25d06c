"""Messages that need no knowledge: a person is asked for, somebody is angry, the subject is a person's, or it is small
talk. Pure; the words are those of ordinary Chinese and English, the merchant adds his own for the first kind.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Literal

from huitouke.modules.assistant.retrieval.text import fold, runs

HandoverReason = Literal["asked_for_person", "angry", "sensitive"]
SmallTalk = Literal["greeting", "thanks", "goodbye", "acknowledged"]

_PERSON: Final = re.compile(
    r"转?人工|真人|(?:找|叫|要|换|联系|转)(?:个|一下|一个|你们)?(?:的)?(?:人|客服|老板|店长|经理|负责人|店员|同事)(?!气|多|少)"
    r"|不要机器人|别用机器人|机器人走开|投诉"
    r"|\b(?:human|real person|(?:talk|speak) to (?:a |an )?(?:person|someone|agent|manager)|live agent|complain\w*)\b"
)
_ANGRY: Final = re.compile(
    r"骗子|骗人|骗钱|欺骗|坑人|黑店|垃圾(?!桶|袋|箱)|什么破|太差劲|差劲|气死|气炸|恶心|滚(?!筒|边|轮|烫|动)"
    r"|傻逼|傻x|他妈|妈的|尼玛|狗屁|废物|脑残|智障|12315|曝光你|举报|起诉|告你们|法院|律师|消协|差评"
    r"|\b(?:sb|scam|fraud|bullshit|fuck\w*|shit|lawsuit|sue you|rip-?off)\b"
)
_SENSITIVE: Final = re.compile(
    r"过敏了|皮肤过敏|受伤|烫伤|划伤|中毒|住院|流血|自杀|不想活|报警|警察|赔偿|索赔|赔钱|泄露|泄漏"
    r"|\b(?:injur\w*|hospitali\w*|police|suicide|allergic reaction|compensation)\b"
)
_DECLINED: Final = re.compile(
    r"(?:不用|不要|别|不需要|不需|无需|先不|不必|不|no need to|don'?t)\s*(?:麻烦|给我|帮我)?\s*$"
)
_DECLINED_WITHIN: Final = 10

_GREETING: Final = (
    "你好|您好|哈喽|嗨|在吗|在么|在不在|有人吗|早上好|早安|上午好|中午好|下午好|晚上好|早|hi|hello|hey|good morning"
)
_THANKS: Final = "谢谢|谢谢你|谢谢您|多谢|感谢|谢啦|谢了|辛苦了|辛苦|麻烦了|麻烦你了|麻烦您了|thanks|thank you|thx"
_GOODBYE: Final = "再见|拜拜|拜|晚安|先这样|就这样吧|没事了|没有了|没了|不用了|bye|goodbye"
_ACKNOWLEDGED: Final = "好的|好|好吧|好滴|嗯|嗯嗯|哦|噢|ok|okay|行|可以|知道了|明白了|明白|了解|收到|懂了|没问题|太好了"
_FILLER: Final = (
    "的|了|啊|呀|哈|哈哈|呢|吧|哦|啦|你|您|亲|亲亲|老板|客服|小姐姐|那|我|就|非常|十分|真|太|你们|了啊"
    "| |so much|a lot|very much"
)
_WORDS: Final[Sequence[tuple[SmallTalk, str]]] = (
    ("greeting", _GREETING),
    ("thanks", f"{_THANKS}|{_ACKNOWLEDGED}|{_GREETING}"),
    ("goodbye", f"{_GOODBYE}|{_THANKS}|{_ACKNOWLEDGED}"),
    ("acknowledged", _ACKNOWLEDGED),
)
_KINDS: Final[Sequence[tuple[SmallTalk, re.Pattern[str]]]] = tuple(
    (kind, re.compile(rf"(?:{_FILLER})*(?:(?:{words})(?:{_FILLER})*)+")) for kind, words in _WORDS
)
_HAS: Final = {"thanks": re.compile(_THANKS), "goodbye": re.compile(_GOODBYE)}

_REPLIES: Final[dict[str, dict[SmallTalk, str]]] = {
    "zh": {
        "greeting": "您好，我是{name}，有什么可以帮您？",
        "thanks": "不客气，还有问题随时问我。",
        "goodbye": "好的，感谢您的光临，祝您生活愉快。",
        "acknowledged": "好的，还有问题随时问我。",
    },
    "en": {
        "greeting": "Hello, I am {name}. How can I help you?",
        "thanks": "You're welcome. Ask me any time.",
        "goodbye": "Thank you for your visit. Have a nice day.",
        "acknowledged": "All right. Ask me any time.",
    },
}

_NO_OFFERS: Final = {
    "zh": "记下了，以后不再给您发优惠、活动这类消息。您来问的，我们照常回复。如果您想退的是预订或订单，请直接告诉我。",
    "en": "Noted: we won't send you offers any more. Whatever you ask is still answered. If it is a booking or an order"
    " that you want to cancel, just tell me.",
}


def handover_reason(text: str, merchants_words: Sequence[str]) -> HandoverReason | None:
    """Why a person should answer this, or None. A wish for a person that is declined (「不用转人工」) is none."""
    folded = fold(text)
    if _wanted(_PERSON, folded):
        return "asked_for_person"
    if _ANGRY.search(folded):
        return "angry"
    if _SENSITIVE.search(folded):
        return "sensitive"
    listed = [re.escape(fold(word)) for word in merchants_words if word.strip()]
    if listed and _wanted(re.compile("|".join(listed)), folded):
        return "asked_for_person"
    return None


def small_talk(text: str) -> SmallTalk | None:
    """The kind of small talk that the text is and nothing else; None for anything with a wish in it."""
    said = "".join(runs(text)) if not re.search(r"[a-z]", fold(text)) else " ".join(runs(text))
    if not said:
        return "acknowledged" if text.strip() else None
    for kind, pattern in _KINDS:
        if pattern.fullmatch(said) and (kind not in _HAS or _HAS[kind].search(said)):
            return kind
    return None


def small_talk_reply(kind: SmallTalk, name: str, text: str) -> str:
    """A short polite answer without any claim, in the customer's language."""
    chinese = any("\u4e00" <= character <= "\u9fff" for character in text) or not re.search(r"[A-Za-z]", text)
    return _REPLIES["zh" if chinese else "en"][kind].format(name=name)


def marketing_refused_reply(text: str) -> str:
    """What somebody is told who wants no more offers: what is so from now on, and what isn't."""
    return _NO_OFFERS["zh" if _chinese(text) else "en"]


def _chinese(text: str) -> bool:
    return any("\u4e00" <= character <= "\u9fff" for character in text) or not re.search(r"[A-Za-z]{3}", text)


def _wanted(pattern: re.Pattern[str], text: str) -> bool:
    return any(
        not _DECLINED.search(text[max(0, match.start() - _DECLINED_WITHIN) : match.start()])
        for match in pattern.finditer(text)
    )
