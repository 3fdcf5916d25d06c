"""The chat page as the door of a new shop: opened with words that fit its industry and questions that it can answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from huitouke.kernel.context import DEFAULT_LOCALE, Context
from huitouke.kernel.locales import has_text, translate
from huitouke.modules.conversations.service.accounts import MAX_NAME_CHARACTERS
from huitouke.modules.conversations.service.hosted_pages import (
    MAX_QUESTIONS,
    PageChange,
    change_hosted_page,
    hosted_page,
    open_hosted_page,
)
from huitouke.modules.organization.service import ChatDoor, Shop

ASKED: Final[Mapping[str, str]] = {
    "signature": "有什么招牌菜？",
    "courses": "都有什么课？",
    "services": "你们都做什么？",
    "ships": "多久发货？",
    "hours": "几点营业？",
    "address": "在哪里？",
    "postage": "包邮吗？",
    "returns": "可以退货吗？",
    "area": "服务哪些地方？",
    "trial": "可以试听吗？",
    "booking": "怎么预约？",
    "delivery": "可以送外卖吗？",
}
"""What customers ask about a fact, by its key; those of the first facts that were told stand as buttons on the page.
Customers write Chinese, whatever language the owner reads."""


async def open_door(ctx: Context, shop: Shop) -> str:
    """The address of the shop's page, which is made where there is none; what a person changed on it stays."""
    questions = [question for fact, question in ASKED.items() if fact in shop.facts][:MAX_QUESTIONS]
    key = f"industries.{shop.industry}.greeting"
    greeting = translate(DEFAULT_LOCALE, key, name=shop.name) if has_text(key) else ""
    name = shop.name[:MAX_NAME_CHARACTERS].strip()
    page = await open_hosted_page(ctx, name=name, greeting=greeting, questions=questions)
    if questions and not page.questions:
        page = await change_hosted_page(ctx, PageChange(questions=questions))
    return page.url


async def look_at_door(ctx: Context) -> str | None:
    """The page's address, while customers may use it."""
    page = await hosted_page(ctx)
    return page.url if page is not None and page.is_on else None


DOOR: Final = ChatDoor(open_door, look_at_door)
