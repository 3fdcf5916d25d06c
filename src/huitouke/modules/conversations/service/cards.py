"""Links, mini programs, menus and locations to customers: checked against the channel's limits before they are queued.

A card is stored in WeCom's own shape, the one in which customers' cards come in, so that the thread shows both with
the same components; the picture is the message's file.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, assert_never
from urllib.parse import urlsplit
from uuid import UUID

from huitouke.kernel.context import Context
from huitouke.kernel.errors import NotFound
from huitouke.kernel.files import service as files
from huitouke.modules.conversations.channels import ChannelRules
from huitouke.modules.conversations.schemas import (
    Card,
    LinkCard,
    LocationCard,
    MenuCard,
    MenuClick,
    MenuEntry,
    MenuMiniprogram,
    MenuText,
    MenuView,
    MiniprogramCard,
)
from huitouke.modules.conversations.service import problems

PICTURE_PURPOSE: Final = "message_image"
PICTURE_TYPES: Final = frozenset({"image/jpeg", "image/png"})

_APPID: Final = re.compile(r"wx[0-9a-f]{16}\Z")
_SPACES: Final = re.compile(r"\s")


@dataclass(frozen=True, slots=True)
class Body:
    """What a message holds, as it is stored."""

    msgtype: str
    text: str | None
    file_id: UUID | None
    content: dict[str, Any]


async def card_body(ctx: Context, card: Card, rules: ChannelRules, message_id: UUID) -> Body:
    """The card as it is stored and sent.

    Raises CardNotSendable, CardTextMissing, CardTextTooLong, CardAddressInvalid, CardAppidInvalid,
    CardPictureInvalid, MenuWithoutChoice, MenuTooLong, NotFound.
    """
    limits = rules.card_limits_bytes.get(card.msgtype)
    if limits is None:
        raise problems.CardNotSendable(field="card.msgtype", kind=card.msgtype)
    match card:
        case LinkCard():
            content = _link(card, limits)
            return Body(card.msgtype, None, await _picture(ctx, card.picture_id, rules), content)
        case MiniprogramCard():
            content = _miniprogram(card, limits)
            return Body(card.msgtype, None, await _picture(ctx, card.picture_id, rules), content)
        case MenuCard():
            return Body(card.msgtype, None, None, _menu(card, limits, rules, message_id))
        case LocationCard():
            return Body(card.msgtype, None, None, _location(card, limits))
        case other:
            assert_never(other)


def _link(card: LinkCard, limits: Mapping[str, int]) -> dict[str, Any]:
    return {
        "title": _needed(card.title, "card.title", limits["title"]),
        "desc": _fitting(card.desc, "card.desc", limits["desc"]),
        "url": _address(card.url, "card.url", limits["url"]),
    }


def _miniprogram(card: MiniprogramCard, limits: Mapping[str, int]) -> dict[str, Any]:
    return {
        "appid": _appid(card.appid, "card.appid"),
        "title": _fitting(card.title, "card.title", limits["title"]),
        "pagepath": _pagepath(card.pagepath, "card.pagepath", limits["pagepath"]),
    }


def _location(card: LocationCard, limits: Mapping[str, int]) -> dict[str, Any]:
    return {
        "latitude": card.latitude,
        "longitude": card.longitude,
        "name": _fitting(card.name, "card.name", limits["name"]),
        "address": _fitting(card.address, "card.address", limits["address"]),
    }


def _menu(card: MenuCard, limits: Mapping[str, int], rules: ChannelRules, message_id: UUID) -> dict[str, Any]:
    """Each choice gets an id that names its menu: WeCom gives it back as `menu_id` of the customer's text."""
    buttons = sum(not isinstance(entry, MenuText) for entry in card.entries)
    if not buttons:
        raise problems.MenuWithoutChoice(field="card.entries")
    if len(card.entries) > rules.menu_entries or buttons > rules.menu_buttons:
        raise problems.MenuTooLong(field="card.entries", limit=rules.menu_entries, buttons=rules.menu_buttons)
    return {
        "head_content": _fitting(card.head_content, "card.head_content", limits["head_content"]),
        "list": [
            {
                "type": entry.type,
                entry.type: _entry(entry, f"card.entries.{place}", limits, f"{message_id.hex}.{place}"),
            }
            for place, entry in enumerate(card.entries)
        ],
        "tail_content": _fitting(card.tail_content, "card.tail_content", limits["tail_content"]),
    }


def _entry(entry: MenuEntry, field: str, limits: Mapping[str, int], click_id: str) -> dict[str, Any]:
    content = _needed(entry.content, f"{field}.content", limits[entry.type])
    match entry:
        case MenuClick():
            return {"id": click_id, "content": content}
        case MenuView():
            return {"url": _address(entry.url, f"{field}.url", limits["url"]), "content": content}
        case MenuMiniprogram():
            pagepath = _pagepath(entry.pagepath, f"{field}.pagepath", limits["pagepath"])
            return {"appid": _appid(entry.appid, f"{field}.appid"), "pagepath": pagepath, "content": content}
        case MenuText():
            return {"content": content, "no_newline": int(entry.no_newline)}
        case other:
            assert_never(other)


def _needed(text: str, field: str, limit_bytes: int) -> str:
    found = _fitting(text, field, limit_bytes)
    if not found:
        raise problems.CardTextMissing(field=field)
    return found


def _fitting(text: str, field: str, limit_bytes: int) -> str:
    stripped = text.strip()
    size = len(stripped.encode())
    if size > limit_bytes:
        raise problems.CardTextTooLong(
            field=field, bytes=size, limit=limit_bytes, characters=-(-(size - limit_bytes) // 3)
        )
    return stripped


def _address(text: str, field: str, limit_bytes: int) -> str:
    """WeChat opens only what has its http:// or https:// before it (path/94677)."""
    found = _needed(text, field, limit_bytes)
    try:
        parts = urlsplit(found)
    except ValueError:
        raise problems.CardAddressInvalid(field=field) from None
    if parts.scheme not in ("http", "https") or not parts.netloc or _SPACES.search(found):
        raise problems.CardAddressInvalid(field=field)
    return found


def _appid(text: str, field: str) -> str:
    found = text.strip()
    if not _APPID.match(found):
        raise problems.CardAppidInvalid(field=field)
    return found


def _pagepath(text: str, field: str, limit_bytes: int) -> str:
    """With `.html` before the parameters: without it WeChat says that there is no such page (path/94677)."""
    path, mark, parameters = text.strip().lstrip("/").partition("?")
    if path and not path.endswith(".html"):
        path += ".html"
    return _needed(f"{path}{mark}{parameters}" if path else "", field, limit_bytes)


async def _picture(ctx: Context, picture_id: UUID, rules: ChannelRules) -> UUID:
    try:
        file = await files.get(ctx, picture_id)
    except NotFound:
        raise NotFound(field="card.picture_id") from None
    limit = rules.file_limits_bytes.get("image", 0)
    if file.purpose != PICTURE_PURPOSE or file.media_type not in PICTURE_TYPES or file.bytes > limit:
        raise problems.CardPictureInvalid(field="card.picture_id")
    return picture_id
