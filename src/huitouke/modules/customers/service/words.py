"""Words by which people say that they want no more offers. Pure.

「退订」 and 「拒收」 are also said of bookings and parcels: alone they are what every advertising message teaches to
answer with, beside anything else only when it is messages that are meant.
"""

import re
import unicodedata
from typing import Final

MAX_CHARACTERS: Final = 60
"""Whoever refuses does so in few words; a longer line is about something else."""

_POLITE: Final = (
    r"(?:请|谢谢|谢了|麻烦|拜托|你好|您好|好的|了|啦|吧|啊|哦|呀|哈|我要|我想|我|要|帮我|给我|直接|回复|回)*+"
)
_COMMAND: Final = re.compile(
    rf"{_POLITE}(?:退订|拒收|取消订阅|取消推送|关闭推送|td|unsubscribe|stop ?all|stop|opt ?out){{1,2}}{_POLITE}"
)
_OFFERS: Final = (
    r"(?:广告(?!里|上|中|说|的|写|那|款|图|牌)|小广告|推广|营销|推销|促销(?!价|款|的)|宣传|群发|推送|骚扰|垃圾(?:短信|消息|信息)"
    r"|(?:优惠|活动|打折|上新|新品)(?:的)?(?:信息|消息|短信|通知|推送)|这些(?:短信|消息|信息|东西))"
)
_MESSAGES: Final = r"(?:短信|消息|信息|微信)"
_NOT: Final = r"(?:不要|别|不想|不用|不需要|无需|停止|请勿|勿|拒绝|甭|莫|不许|不准|少)"
_AGAIN: Final = r"(?:再|老是|老|总是|总|一直|天天|继续|每天|动不动就)?"
_TO_ME: Final = r"(?:(?:给|向|对|跟)(?:我|我们|本人|这个号|我这个号))?"
_SEND: Final = r"(?:发送|发|推送|推|收到|接收|接受|收|看到|打扰|轰炸)"
_MIDDLE: Final = r"(?:了|过来|来|你们的|你们|您的|的|我|给我|任何|什么|这种|这样的|这些|那些|此类|一些|各种){0,4}"
_WISH: Final = re.compile(
    rf"{_NOT}{_AGAIN}{_TO_ME}{_AGAIN}{_SEND}{_MIDDLE}{_OFFERS}"
    rf"|{_NOT}(?:再|老|总|一直|天天|继续){_TO_ME}{_SEND}{_MIDDLE}{_MESSAGES}(?:给我|过来|来)?(?:了|啦)?$"
    rf"|{_NOT}(?:再|老|总|一直|天天|继续)?(?:广告|营销|骚扰|推销|短信)(?:骚扰|轰炸|打扰)?(?:我)?(?:了|啦)$"
    rf"|{_NOT}(?:再|老|总|一直|天天|继续)?用?(?:广告|营销|推广|促销){_MIDDLE}(?:骚扰|轰炸|打扰|烦)"
)
_UNSUBSCRIBE: Final = re.compile(
    rf"(?:退订|拒收|拒绝接收|取消订阅|屏蔽){_MIDDLE}(?:{_OFFERS}|{_MESSAGES}(?!里|上|中|说))"
)
_QUESTION: Final = re.compile(
    r"[?？吗么]|怎么|如何|怎样|为什么|能不能|可不可以|可以|是不是|有没有|会不会|多久|什么时候|哪里|多少|啥"
)
_ENGLISH: Final = re.compile(
    r"\b(?:(?:stop|quit) (?:sending|texting|messaging|spamming)(?: me)?|don'?t send me|do not send me|no more)\b"
    r"[a-z ,']{0,24}\b(?:ads?|advert\w*|promo\w*|marketing|offers|spam|newsletters?|texts|messages)\b"
    r"|\bunsubscribe me\b|\bopt me out\b"
)


def refuses_marketing(text: str) -> bool:
    """Whether any line of the text says that its writer wants no more offers."""
    return any(line_refuses(line) for line in text.splitlines())


def line_refuses(line: str) -> bool:
    """The same of one line."""
    said = unicodedata.normalize("NFKC", line).lower().strip()
    if not said or len(said) > MAX_CHARACTERS:
        return False
    bare = " ".join(re.findall(r"[\w']+", said))
    joined = bare.replace(" ", "")
    if _COMMAND.fullmatch(bare) or _COMMAND.fullmatch(joined):
        return not _QUESTION.search(said)
    if _ENGLISH.search(said):
        return True
    parts = re.split(r"[,，。.;；!！~～]+", said.replace(" ", ""))
    return any(_WISH.search(part) or (_UNSUBSCRIBE.search(part) and not _QUESTION.search(said)) for part in parts)
