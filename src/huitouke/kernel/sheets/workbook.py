"""Looks a workbook (.xlsx) over before calamine reads it: how far it reaches, and which formulas have no usable value.

calamine lays out every cell up to the furthest one: a file of 600 bytes whose last cell is XFD1048576 would take the
process with it. And it gives cells without a computed value as empty, which would read as "nothing was written".
The parts are read piece by piece with Expat; no entities are resolved, nothing is kept but the broken cells.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from dataclasses import dataclass, field
from typing import Final, NoReturn
from xml.parsers import expat  # the parser alone: document types, where entities would be declared, are refused

MAX_UNPACKED_BYTES: Final = 200 * 1024 * 1024
MAX_ZIP_MEMBERS: Final = 2_000
MAX_ELEMENTS: Final = 20_000_000
"""Three for each of 6 million cells; reading them takes some ten seconds."""

MAX_BROKEN: Final = 1_000_000
_PLAIN_COMPRESSION: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""What the format allows (ECMA-376 part 2, annex C)."""

_CHUNK_BYTES: Final = 1 << 20
_REFERENCE: Final = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_XML_STARTS: Final = (b"<", b"\xef\xbb\xbf<", b"\xff\xfe", b"\xfe\xff")
_DRAWINGS: Final = ".vml"
"""Old drawings, which needn't be XML at all; no sheet may be one."""

_SHEET: Final = re.compile(rb"<(?:\w{1,40}:)?sheet\b[^>]*>")
_RELATION: Final = re.compile(rb"<(?:\w{1,40}:)?Relationship\b[^>]*>")
_WORKBOOK: Final = "xl/workbook.xml"
_RELATIONS: Final = "xl/_rels/workbook.xml.rels"


class UnreadableFile(Exception):
    """The file can't be read as a table; `reason` is a stable word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass
class Survey:
    """`rows`, `columns`: how far the furthest sheet reaches. `broken`: by part, (row, column) from 0."""

    rows: int = 0
    columns: int = 0
    elements: int = 0
    broken: dict[str, set[tuple[int, int]]] = field(default_factory=dict)
    sheets: list[str | None] = field(default_factory=list)

    def broken_in(self, sheet_index: int) -> set[tuple[int, int]]:
        """The broken cells of the sheet at that place in the workbook; empty where it can't be told."""
        part = self.sheets[sheet_index] if sheet_index < len(self.sheets) else None
        return self.broken.get(part or "", set())


def survey(data: bytes) -> Survey:
    """Unpacks everything once and counts, since a size written in a header may lie.

    Raises:
        UnreadableFile: damaged, password, no_table, too_large_unpacked.
    """
    found = Survey()
    unpacked = 0
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _refuse_strange(archive)
            for member in archive.infolist():
                unpacked = _read_member(archive, member, found, unpacked)
            found.sheets = _sheet_parts(archive)
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, KeyError) as error:
        raise UnreadableFile("damaged") from error
    except RuntimeError as error:  # zipfile's way to say that a member is encrypted
        raise UnreadableFile("password") from error
    return found


def _refuse_strange(archive: zipfile.ZipFile) -> None:
    members = archive.infolist()
    if len(members) > MAX_ZIP_MEMBERS or sum(member.file_size for member in members) > MAX_UNPACKED_BYTES:
        raise UnreadableFile("too_large_unpacked")
    names = archive.namelist()
    if any(member.compress_type not in _PLAIN_COMPRESSION for member in members) or len(set(names)) != len(names):
        raise UnreadableFile("damaged")
    if "[Content_Types].xml" not in names:
        raise UnreadableFile("no_table")


def _read_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, found: Survey, unpacked: int) -> int:
    """Reads one part; gives how many bytes are unpacked with it."""
    part: _Part | None = None
    first = True
    with archive.open(member) as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            unpacked += len(chunk)
            if unpacked > MAX_UNPACKED_BYTES:
                raise UnreadableFile("too_large_unpacked")
            if first and chunk.lstrip().startswith(_XML_STARTS) and not member.filename.endswith(_DRAWINGS):
                part = _Part(found, found.broken.setdefault(member.filename, set()))
            first = False
            if part is not None:
                part.feed(chunk)
    if part is not None:
        part.feed(b"", last=True)
    return unpacked


class _Part:
    """One XML part. Cells count where they hold something: formats alone may reach to the last row."""

    def __init__(self, found: Survey, broken: set[tuple[int, int]]) -> None:
        self._found = found
        self._broken = broken
        self._row = self._column = 0  # from 1
        self._error = self._formula = self._valued = False
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = _refuse
        parser.EntityDeclHandler = _refuse
        self._parser = parser
        self._in_value = False

    def feed(self, chunk: bytes, *, last: bool = False) -> None:
        try:
            self._parser.Parse(chunk, last)
        except (expat.ExpatError, LookupError) as error:  # LookupError: an encoding that nobody knows
            raise UnreadableFile("damaged") from error

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._found.elements += 1
        if self._found.elements > MAX_ELEMENTS:
            raise UnreadableFile("too_large_unpacked")
        match tag.rpartition(":")[2]:
            case "row":
                self._row = _number(attributes["r"]) if "r" in attributes else self._row + 1
                self._column = 0
            case "c":
                self._cell(attributes)
            case "v":
                self._in_value = True
                self._reach()
            case "is":
                self._valued = True
                self._reach()
            case "f":
                self._formula = True

    def _cell(self, attributes: dict[str, str]) -> None:
        reference = attributes.get("r")
        if reference is None:
            self._column += 1
        elif (place := _REFERENCE.fullmatch(reference)) is None:
            raise UnreadableFile("damaged")
        else:
            self._row, self._column = int(place[2]), _column(place[1])
        self._error = attributes.get("t") == "e"
        self._formula = self._valued = False

    def _reach(self) -> None:
        self._found.rows = max(self._found.rows, self._row)
        self._found.columns = max(self._found.columns, self._column)

    def _text(self, text: str) -> None:
        if self._in_value and text:
            self._valued = True

    def _end(self, tag: str) -> None:
        match tag.rpartition(":")[2]:
            case "v":
                self._in_value = False
            case "c" if self._error or (self._formula and not self._valued):
                if len(self._broken) >= MAX_BROKEN:
                    raise UnreadableFile("too_large_unpacked")
                self._broken.add((self._row - 1, self._column - 1))


def _refuse(*_: object) -> NoReturn:
    raise UnreadableFile("damaged")


def _sheet_parts(archive: zipfile.ZipFile) -> list[str | None]:
    """The parts of the sheets in the workbook's order; None where a part can't be told."""
    names = set(archive.namelist())
    if not {_WORKBOOK, _RELATIONS} <= names:
        return []
    relations = archive.read(_RELATIONS)
    if _DRAWINGS.encode() in relations.lower():
        raise UnreadableFile("damaged")
    parts: dict[bytes | None, str] = {}
    for written in _RELATION.findall(relations):
        target = (_attribute(written, b"Target") or b"").decode("utf-8", errors="replace")
        parts[_attribute(written, b"Id")] = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    found: list[str | None] = []
    for sheet in _SHEET.findall(archive.read(_WORKBOOK)):
        part = parts.get(_attribute(sheet, rb"\w{1,40}:id"))
        found.append(part if part in names else None)
    return found


def _attribute(tag: bytes, name: bytes) -> bytes | None:
    found = re.search(rb"(?<![\w:])" + name + rb"\s*=\s*[\"']([^\"']*)[\"']", tag)
    return found[1] if found else None


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 7):
        raise UnreadableFile("damaged")
    return int(text)


def _column(letters: str) -> int:
    """From 1."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
