"""Robots of internal groups, WeCom's 消息推送 (path/99110). The key in their address is all that they ask for."""

import re
from collections.abc import Sequence
from urllib.parse import parse_qs, urlsplit

import httpx2

from huitouke.wechat.client import WECOM_BASE_URL, post_with_key

TEXT_LIMIT_BYTES = 2048
MESSAGES_PER_MINUTE = 20

_PATH = "/cgi-bin/webhook/send"
_KEY = re.compile(r"[0-9A-Za-z_-]{8,64}\Z")


def key_of(webhook: str) -> str | None:
    """The key in the address that WeCom shows of a robot; None when it is no such address."""
    try:
        parts = urlsplit(webhook.strip())
    except ValueError:
        return None
    found = parse_qs(parts.query).get("key", [])
    if parts.scheme not in ("http", "https") or not parts.path.endswith(_PATH) or len(found) != 1:
        return None
    return found[0] if _KEY.match(found[0]) else None


class GroupRobotClient:
    """One robot. Raises WecomError or a subclass; their texts never hold the key."""

    def __init__(self, http: httpx2.AsyncClient, key: str, base_url: str = WECOM_BASE_URL) -> None:
        self._http = http
        self._key = key
        self._base_url = base_url

    async def send_text(self, content: str, *, mentioned_userids: Sequence[str] = ()) -> None:
        """Plain text of at most 2048 bytes. Raises ValueError beyond it."""
        if not content or len(content.encode()) > TEXT_LIMIT_BYTES:
            raise ValueError(f"a text has 1 to {TEXT_LIMIT_BYTES} bytes")
        text = {"content": content, **({"mentioned_list": list(mentioned_userids)} if mentioned_userids else {})}
        await post_with_key(self._http, self._base_url, "webhook/send", self._key, {"msgtype": "text", "text": text})
