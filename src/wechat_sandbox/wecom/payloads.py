"""The payloads of 微信客服 messages, checked and cut as the pages say (path/94677)."""

from collections.abc import Callable
from typing import Any

from wechat_sandbox.errors import ApiError
from wechat_sandbox.media import live_media
from wechat_sandbox.wecom.calls import Call, text_in, truncate

TEXT_LIMIT_BYTES = 2_048
URL_LIMIT_BYTES = 2_048
UNCUT_LIMIT_BYTES = 65_536
MENU_LIMIT = 50
MENU_CLICK_LIMIT = 10

Checker = Callable[[Call, dict[str, Any]], dict[str, Any]]


def kf_payload(call: Call, msgtypes: frozenset[str] | None = None) -> tuple[str, dict[str, Any]]:
    """(msgtype, payload) of a send; raises 40008 for a type that is unknown or not among `msgtypes`."""
    msgtype = call.text("msgtype", max_bytes=32, missing=40008)
    checker = CHECKERS.get(msgtype)
    if checker is None or (msgtypes is not None and msgtype not in msgtypes):
        raise ApiError(40008)
    return msgtype, checker(call, call.object(msgtype))


def text_payload(_: Call, given: dict[str, Any]) -> dict[str, Any]:
    """A text longer than 2,048 bytes is cut, not refused."""
    content = given.get("content")
    if not isinstance(content, str) or not content:
        raise ApiError(44004)
    return {"content": truncate(content, TEXT_LIMIT_BYTES)}


def media_payload(call: Call, given: dict[str, Any]) -> dict[str, Any]:
    return {"media_id": _media(call, given, "media_id")}


def _media(call: Call, given: dict[str, Any], name: str) -> str:
    media_id = text_in(given, name, 128, missing=41006)
    return live_media(call.world, call.app.corp_id, media_id).media_id


def _cut(given: dict[str, Any], name: str, limit_bytes: int, required: bool = False) -> str:
    """Titles and descriptions: what is too long is cut, not refused."""
    return truncate(text_in(given, name, UNCUT_LIMIT_BYTES, required), limit_bytes)


def _url(given: dict[str, Any]) -> str:
    """Raises 40058 without http:// or https://: phones open nothing else."""
    url = text_in(given, "url", URL_LIMIT_BYTES)
    if not url.lower().startswith(("http://", "https://")):
        raise ApiError(40058, "url must begin with http:// or https://")
    return url


def _pagepath(given: dict[str, Any]) -> str:
    """Raises 40058 without .html before the parameters, where a real phone would say that there is no such page."""
    pagepath = text_in(given, "pagepath", 1_024)
    if not pagepath.partition("?")[0].endswith(".html"):
        raise ApiError(40058, "pagepath must end with .html")
    return pagepath


def _link(call: Call, given: dict[str, Any]) -> dict[str, Any]:
    return {
        "title": _cut(given, "title", 128, required=True),
        "desc": _cut(given, "desc", 512),
        "url": _url(given),
        "thumb_media_id": _media(call, given, "thumb_media_id"),
    }


def _miniprogram(call: Call, given: dict[str, Any]) -> dict[str, Any]:
    return {
        "appid": text_in(given, "appid", 32),
        "title": _cut(given, "title", 64),
        "thumb_media_id": _media(call, given, "thumb_media_id"),
        "pagepath": _pagepath(given),
    }


def _location(_: Call, given: dict[str, Any]) -> dict[str, Any]:
    latitude, longitude = given.get("latitude"), given.get("longitude")
    if not isinstance(latitude, int | float) or not isinstance(longitude, int | float):
        raise ApiError(40058, "latitude and longitude are needed")
    if not -90 <= latitude <= 90 or not -180 <= longitude <= 180:
        raise ApiError(40058, "latitude or longitude out of range")
    return {
        "latitude": latitude,
        "longitude": longitude,
        "name": text_in(given, "name", 1_024, required=False),
        "address": text_in(given, "address", 1_024, required=False),
    }


def _ca_link(_: Call, given: dict[str, Any]) -> dict[str, Any]:
    return {"link_url": text_in(given, "link_url", 2_048)}


def _menu(_: Call, given: dict[str, Any]) -> dict[str, Any]:
    items = given.get("list") or []
    if not isinstance(items, list) or len(items) > MENU_LIMIT:
        raise ApiError(95008)
    checked = [_menu_item(item) for item in items]
    if sum(item["type"] != "text" for item in checked) > MENU_CLICK_LIMIT:
        raise ApiError(95008)
    head = text_in(given, "head_content", 1_024, required=False)
    tail = text_in(given, "tail_content", 1_024, required=False)
    if not checked and not head:
        raise ApiError(44004)
    return {"head_content": head, "list": checked, "tail_content": tail}


def _menu_item(item: Any) -> dict[str, Any]:
    kind = item.get("type") if isinstance(item, dict) else None
    part = item.get(kind) if isinstance(item, dict) and isinstance(kind, str) else None
    if not isinstance(kind, str) or not isinstance(part, dict):
        raise ApiError(95009)
    match kind:
        case "click":
            checked = {
                "id": text_in(part, "id", 128, required=False),
                "content": text_in(part, "content", 128),
            }
        case "view":
            checked = {"url": _url(part), "content": text_in(part, "content", 1_024)}
        case "miniprogram":
            checked = {
                "appid": text_in(part, "appid", 32),
                "pagepath": _pagepath(part),
                "content": text_in(part, "content", 1_024),
            }
        case "text":
            text = {"content": text_in(part, "content", 256)}
            return {"type": kind, kind: {**text, "no_newline": 1 if part.get("no_newline") else 0}}
        case _:
            raise ApiError(95009)
    return {"type": kind, kind: checked}


CHECKERS: dict[str, Checker] = {
    "text": text_payload,
    "image": media_payload,
    "voice": media_payload,
    "video": media_payload,
    "file": media_payload,
    "link": _link,
    "miniprogram": _miniprogram,
    "msgmenu": _menu,
    "location": _location,
    "ca_link": _ca_link,
}
