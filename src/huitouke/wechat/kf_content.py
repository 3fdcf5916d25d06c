"""What `kf/send_msg` takes (path/94677): one model per msgtype, with WeCom's limits checked before the call."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, model_validator
from pydantic_core import PydanticCustomError

TEXT_LIMIT_BYTES = 2048  # WeCom cuts longer texts silently
MENU_ENTRY_LIMIT = 50
MENU_BUTTON_LIMIT = 10  # click, view and miniprogram together (95008)

# Most bytes of UTF-8 of each text (path/94677). WeCom cuts longer titles and descriptions silently; here they are
# refused, so that nobody sends half a title. The page names no limit for locations; those two are ours.
URL_LIMIT_BYTES = 2048
TITLE_LIMIT_BYTES = 128
DESCRIPTION_LIMIT_BYTES = 512
APPID_LIMIT_BYTES = 32
PAGEPATH_LIMIT_BYTES = 1024
PROGRAM_TITLE_LIMIT_BYTES = 64
MENU_EDGE_LIMIT_BYTES = 1024
CLICK_LIMIT_BYTES = 128
VIEW_LIMIT_BYTES = 1024
LINE_LIMIT_BYTES = 256
PLACE_LIMIT_BYTES = 512


def at_most(limit_bytes: int) -> AfterValidator:
    """Text of at most that many bytes of UTF-8; the problem says how many there are."""

    def check(text: str) -> str:
        size = len(text.encode())
        if size > limit_bytes:
            raise PydanticCustomError(
                "too_long_bytes",
                "{actual_bytes} bytes, at most {limit_bytes}",
                {"actual_bytes": size, "limit_bytes": limit_bytes},
            )
        return text

    return AfterValidator(check)


def split_text(text: str, limit_bytes: int = TEXT_LIMIT_BYTES) -> list[str]:
    """`text` in pieces of at most `limit_bytes` of UTF-8, none of them empty; joined they are `text` again.

    Breaks after a line end, else after a sentence, else after a comma, where one stands in the second half of a
    piece; else between characters. Raises ValueError for a limit below one character (4 bytes).
    """
    if limit_bytes < 4:
        raise ValueError("a piece must hold at least one character, up to 4 bytes")
    pieces: list[str] = []
    rest = text
    while len(rest.encode()) > limit_bytes:
        window = rest.encode()[:limit_bytes].decode(errors="ignore")
        cut = _break_at(window)
        pieces.append(rest[:cut])
        rest = rest[cut:]
    if rest:
        pieces.append(rest)
    return pieces


def _break_at(window: str) -> int:
    earliest = len(window) // 2
    for ends in ("\n", "。！？!?；;", "，, 、"):
        cut = max(window.rfind(end) for end in ends) + 1
        if cut > earliest:
            return cut
    return len(window)


class Content(BaseModel):
    """One outgoing message without its receiver."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    msgtype: str

    def fields(self) -> dict[str, Any]:
        """{"msgtype": …, "<msgtype>": {…}} as kf/send_msg takes it."""
        return {"msgtype": self.msgtype, self.msgtype: self.model_dump(exclude={"msgtype"}, exclude_none=True)}


Id = Annotated[str, Field(min_length=1)]


class Text(Content):
    msgtype: Literal["text"] = "text"
    content: Annotated[str, Field(min_length=1), at_most(TEXT_LIMIT_BYTES)]


class Image(Content):
    msgtype: Literal["image"] = "image"
    media_id: Id


class Voice(Content):
    """AMR, at most 60 s (path/90253)."""

    msgtype: Literal["voice"] = "voice"
    media_id: Id


class Video(Content):
    msgtype: Literal["video"] = "video"
    media_id: Id


class File(Content):
    msgtype: Literal["file"] = "file"
    media_id: Id


class Link(Content):
    msgtype: Literal["link"] = "link"
    title: Annotated[str, Field(min_length=1), at_most(TITLE_LIMIT_BYTES)]
    desc: Annotated[str, at_most(DESCRIPTION_LIMIT_BYTES)] | None = None
    url: Annotated[str, Field(min_length=1), at_most(URL_LIMIT_BYTES)]
    thumb_media_id: Id


class Miniprogram(Content):
    """`pagepath` ends in .html before its parameters, or the customer lands on the start page."""

    msgtype: Literal["miniprogram"] = "miniprogram"
    appid: Annotated[Id, at_most(APPID_LIMIT_BYTES)]
    title: Annotated[str, at_most(PROGRAM_TITLE_LIMIT_BYTES)] | None = None
    thumb_media_id: Id
    pagepath: Annotated[Id, at_most(PAGEPATH_LIMIT_BYTES)]


class Location(Content):
    msgtype: Literal["location"] = "location"
    name: Annotated[str, at_most(PLACE_LIMIT_BYTES)] | None = None
    address: Annotated[str, at_most(PLACE_LIMIT_BYTES)] | None = None
    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]


class CaLink(Content):
    """A 获客链接 as a card."""

    msgtype: Literal["ca_link"] = "ca_link"
    link_url: Id


class _MenuPart(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class MenuClick(_MenuPart):
    """A line the customer taps; `id` comes back as `menu_id` of a text."""

    type: Literal["click"] = "click"
    id: Annotated[str, at_most(CLICK_LIMIT_BYTES)] | None = None
    content: Annotated[str, Field(min_length=1), at_most(CLICK_LIMIT_BYTES)]


class MenuView(_MenuPart):
    type: Literal["view"] = "view"
    url: Annotated[str, Field(min_length=1), at_most(URL_LIMIT_BYTES)]
    content: Annotated[str, Field(min_length=1), at_most(VIEW_LIMIT_BYTES)]


class MenuMiniprogram(_MenuPart):
    type: Literal["miniprogram"] = "miniprogram"
    appid: Annotated[Id, at_most(APPID_LIMIT_BYTES)]
    pagepath: Annotated[Id, at_most(PAGEPATH_LIMIT_BYTES)]
    content: Annotated[str, Field(min_length=1), at_most(VIEW_LIMIT_BYTES)]


class MenuText(_MenuPart):
    """A line of text. `no_newline` 1: the next entry follows on the same line."""

    type: Literal["text"] = "text"
    content: Annotated[str, Field(min_length=1), at_most(LINE_LIMIT_BYTES)]
    no_newline: Literal[0, 1] = 0


MenuEntry = Annotated[MenuClick | MenuView | MenuMiniprogram | MenuText, Field(discriminator="type")]


class MsgMenu(Content):
    """Head, entries, tail. At most 50 entries, of which 10 may be tapped."""

    msgtype: Literal["msgmenu"] = "msgmenu"
    head_content: Annotated[str, at_most(MENU_EDGE_LIMIT_BYTES)] | None = None
    entries: Annotated[tuple[MenuEntry, ...], Field(max_length=MENU_ENTRY_LIMIT)] = ()
    tail_content: Annotated[str, at_most(MENU_EDGE_LIMIT_BYTES)] | None = None

    @model_validator(mode="after")
    def _check_buttons(self) -> "MsgMenu":
        buttons = sum(not isinstance(entry, MenuText) for entry in self.entries)
        if buttons > MENU_BUTTON_LIMIT:
            raise PydanticCustomError(
                "too_many_buttons",
                "{actual} buttons, at most {limit}",
                {"actual": buttons, "limit": MENU_BUTTON_LIMIT},
            )
        if not (self.head_content or self.entries or self.tail_content):
            raise PydanticCustomError("empty_menu", "a menu needs a head, an entry or a tail", {})
        return self

    def fields(self) -> dict[str, Any]:
        menu: dict[str, Any] = {"list": [_entry_fields(entry) for entry in self.entries]}
        if self.head_content:
            menu["head_content"] = self.head_content
        if self.tail_content:
            menu["tail_content"] = self.tail_content
        return {"msgtype": "msgmenu", "msgmenu": menu}


def _entry_fields(entry: MenuEntry) -> dict[str, Any]:
    return {"type": entry.type, entry.type: entry.model_dump(exclude={"type"}, exclude_none=True)}


OutgoingContent = Annotated[
    Text | Image | Voice | Video | File | Link | Miniprogram | MsgMenu | Location | CaLink,
    Field(discriminator="msgtype"),
]

outgoing_content: TypeAdapter[OutgoingContent] = TypeAdapter(OutgoingContent)  # reads a stored message back
