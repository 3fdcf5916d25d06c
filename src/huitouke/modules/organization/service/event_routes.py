"""Which module wakes up for which event of a WeCom app.

A module lists its routes in the manifest under the registry `organization.wecom_events`; the callback kind `wecom`
looks them up by the event's name. An event without a route is stored and otherwise left alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from huitouke.wechat.errors import CallbackError
from huitouke.wechat.xml import parse_xml

EVENT_ROUTES: Final = "organization.wecom_events"


@dataclass(frozen=True, slots=True)
class WecomEventRoute:
    """`key` takes the fields of the event's XML and names what happened to; the runner `runner` is woken for it.

    Without `key` it happened to the app itself, and the key is its id.
    """

    event: str
    runner: str
    key: Callable[[Mapping[str, str]], str | None] | None = None


def callback_fields(body: bytes) -> dict[str, str]:
    """The texts of a stored body. Empty when it can't be read, which the callback's own check has ruled out."""
    try:
        return {name: value for name, value in parse_xml(body).items() if isinstance(value, str)}
    except CallbackError:
        return {}
