"""The small XML of WeCom's callbacks (path/90930): read without DTD, entities or surprises, and written."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn
from xml.parsers import expat  # the parser alone; every construct that could expand is refused below

from huitouke.wechat.errors import BadXml, BodyTooLarge

XML_LIMIT_BYTES = 64 * 1024
DEPTH_LIMIT = 8
ELEMENT_LIMIT = 500

XmlValue = str | list["XmlValue"] | dict[str, "XmlValue"]
XmlInput = str | int | float | Sequence["XmlInput"] | Mapping[str, "XmlInput"]

_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")  # Expat would follow these, whatever encoding it was told
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*\Z")
_PLAIN = r"[^<&\]\x00-\x08\x0b-\x1f\ufffe\uffff]*"
_FLAT_ELEMENT = re.compile(rf"[ \t\n]*<([A-Za-z_][A-Za-z0-9_.-]*)>(?:<!\[CDATA\[({_PLAIN})\]\]>|({_PLAIN}))</\1>")
_FLAT_START, _FLAT_END = "<xml>", "</xml>"
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def parse_xml(body: bytes, *, limit_bytes: int = XML_LIMIT_BYTES) -> dict[str, XmlValue]:
    """The children of the root element: text as str, nested elements as dict, repeated names as list.

    UTF-8 whatever the declaration says. Raises BodyTooLarge, or BadXml for anything that is not a plain tree of at
    most 8 levels and 500 elements.
    """
    if len(body) > limit_bytes:
        raise BodyTooLarge(f"{len(body)} bytes, at most {limit_bytes}")
    if body.startswith(_UTF16_MARKS):
        raise BadXml("UTF-16")
    flat = _read_flat(body)
    if flat is not None:
        return flat
    reader = _Reader()
    try:
        reader.parser.Parse(body, True)
    except expat.ExpatError as error:
        raise BadXml(expat.ErrorString(error.code)) from None
    if not isinstance(reader.root, dict):
        raise BadXml("the root element has no children")
    return reader.root


def _read_flat(body: bytes) -> dict[str, XmlValue] | None:
    """What WeCom nearly always sends: different elements under one root, plain or in CDATA, nothing in them to decode.

    5 µs where Expat with its handlers takes 35. None for anything else: that is Expat's to read, or to refuse.
    """
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    if not text.startswith(_FLAT_START):
        return None
    fields: dict[str, XmlValue] = {}
    at = len(_FLAT_START)
    while (element := _FLAT_ELEMENT.match(text, at)) is not None:
        name, quoted, bare = element.groups()
        if name in fields:
            return None
        fields[name] = bare if quoted is None else quoted
        at = element.end()
    whole = text[at:].strip(" \t\n") == _FLAT_END and 0 < len(fields) < ELEMENT_LIMIT
    return fields if whole else None


class _Reader:
    """Expat handlers that build nested dicts and refuse whatever a callback never has."""

    def __init__(self) -> None:
        self.root: XmlValue = ""
        self._elements = 0
        self._names: list[str] = []
        self._children: list[dict[str, XmlValue]] = []
        self._texts: list[list[str]] = []
        parser = expat.ParserCreate("utf-8")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = _refuse("document type declarations")
        parser.EntityDeclHandler = _refuse("entity declarations")
        parser.UnparsedEntityDeclHandler = _refuse("entity declarations")
        parser.ExternalEntityRefHandler = _refuse("external entities")
        parser.SkippedEntityHandler = _refuse("entities")
        parser.ProcessingInstructionHandler = _refuse("processing instructions")
        self.parser = parser

    def _start(self, name: str, _attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > ELEMENT_LIMIT:
            raise BadXml(f"more than {ELEMENT_LIMIT} elements")
        if len(self._names) >= DEPTH_LIMIT:
            raise BadXml(f"deeper than {DEPTH_LIMIT} levels")
        self._names.append(name)
        self._children.append({})
        self._texts.append([])

    def _end(self, name: str) -> None:
        self._names.pop()
        children = self._children.pop()
        text = "".join(self._texts.pop())
        if children and text.strip():
            raise BadXml("text beside elements")
        value: XmlValue = children or text
        if not self._names:
            self.root = value
            return
        siblings = self._children[-1]
        if name not in siblings:
            siblings[name] = value
        elif isinstance(earlier := siblings[name], list):
            earlier.append(value)
        else:
            siblings[name] = [earlier, value]

    def _text(self, data: str) -> None:
        self._texts[-1].append(data)


def _refuse(construct: str) -> Callable[..., NoReturn]:
    def refuse(*_arguments: object) -> NoReturn:
        raise BadXml(f"{construct} are not allowed")

    return refuse


def build_xml(fields: Mapping[str, XmlInput], *, root: str = "xml") -> bytes:
    """`fields` as the children of one root element, in UTF-8; text in CDATA, numbers bare, lists as repeated elements.

    Raises ValueError for names or characters that XML 1.0 can't hold.
    """
    parts: list[str] = []
    _write(parts, root, fields)
    return "".join(parts).encode()


def _write(parts: list[str], name: str, value: XmlInput) -> None:
    if not _NAME.match(name):
        raise ValueError(f"not an element name: {name!r}")
    if isinstance(value, Sequence) and not isinstance(value, str):
        for one in value:
            _write(parts, name, one)
        return
    parts.append(f"<{name}>")
    if isinstance(value, Mapping):
        for child_name, child in value.items():
            _write(parts, child_name, child)
    elif isinstance(value, str):
        parts.append(_cdata(value))
    else:
        parts.append(str(value))
    parts.append(f"</{name}>")


def _cdata(text: str) -> str:
    if illegal := _ILLEGAL.search(text):
        raise ValueError(f"character U+{ord(illegal.group()):04X} can't stand in XML")
    # A parser turns a bare carriage return into a line feed, even in CDATA: written as a reference it survives.
    return "".join(
        "&#13;" if piece == "\r" else f"<![CDATA[{piece.replace(']]>', ']]]]><![CDATA[>')}]]>"
        for piece in re.split(r"(\r)", text)
        if piece
    )
