"""What a file is, by its content alone: neither its name nor the sender's word is trusted.

The name only decides between two readings of the same plain text (`.csv`).
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Final

UNKNOWN: Final = "application/octet-stream"
HEIC: Final = "image/heic"
HEAD_BYTES: Final = 4096
MAX_ZIP_ENTRIES: Final = 10_000

_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_DOCX: Final = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_PPTX: Final = "application/vnd.openxmlformats-officedocument.presentationml.presentation"

_SIGNATURES: Final[tuple[tuple[int, bytes, str], ...]] = (
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (4, b"ftypheic", "image/heic"),
    (4, b"ftypheix", "image/heic"),
    (4, b"ftyphevc", "image/heic"),
    (4, b"ftypheim", "image/heic"),
    (4, b"ftypheis", "image/heic"),
    (4, b"ftypmif1", "image/heic"),
    (4, b"ftypmsf1", "image/heic"),
    (4, b"ftypM4A", "audio/mp4"),
    (4, b"ftypqt", "video/quicktime"),
    (4, b"ftyp", "video/mp4"),
    (0, b"#!AMR", "audio/amr"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"\xff\xfb", "audio/mpeg"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"PK\x05\x06", "application/zip"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
)
"""Position, bytes, media type; the first that fits counts, so the narrower one stands first."""

_OFFICE_PARTS: Final = (("xl/workbook.xml", _XLSX), ("word/document.xml", _DOCX), ("ppt/presentation.xml", _PPTX))

INLINE: Final = frozenset(
    {
        "image/jpeg",
        "image/png",
        "image/gif",
        "image/webp",
        "audio/amr",
        "audio/mpeg",
        "audio/mp4",
        "video/mp4",
        "application/pdf",
    }
)
"""What a browser may show; everything else is downloaded."""


_PICTURES: Final = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp", HEIC})
_OLD_OFFICE: Final = "application/x-ole-storage"
_TEXT: Final = frozenset({"text/plain", "text/csv"})
_MOVING: Final = frozenset({"video/mp4", "video/quicktime", "audio/mp4"})

PROMISED: Final[dict[str, frozenset[str]]] = {
    **dict.fromkeys(("jpg", "jpeg", "png", "gif", "webp", "heic"), _PICTURES),
    "pdf": frozenset({"application/pdf"}),
    # With a password, office documents are wrapped into the old format.
    "xlsx": frozenset({_XLSX, _OLD_OFFICE}),
    "docx": frozenset({_DOCX, _OLD_OFFICE}),
    "pptx": frozenset({_PPTX, _OLD_OFFICE}),
    # Many programs export a text under the old name of Excel, which opens it.
    "xls": frozenset({_OLD_OFFICE, _XLSX, *_TEXT}),
    "doc": frozenset({_OLD_OFFICE, _DOCX, *_TEXT}),
    "ppt": frozenset({_OLD_OFFICE, _PPTX}),
    "zip": frozenset({"application/zip"}),
    "rar": frozenset({"application/vnd.rar"}),
    "7z": frozenset({"application/x-7z-compressed"}),
    **dict.fromkeys(("mp4", "mov", "m4a"), _MOVING),
    "mp3": frozenset({"audio/mpeg"}),
    "amr": frozenset({"audio/amr"}),
    **dict.fromkeys(("txt", "csv"), _TEXT | {UNKNOWN}),  # in an encoding that we don't know it is a text all the same
}
"""What a name's ending promises. A program that calls itself a document must not reach anybody under that name."""


def keeps_its_promise(name: str, media_type: str) -> bool:
    """Whether content of that media type may bear the name; endings that promise nothing may mean anything."""
    promised = PROMISED.get(name.rpartition(".")[2].strip().lower())
    return promised is None or media_type in promised


def media_type_of(path: Path, name: str) -> str:
    """The media type of the file at `path`; reads at most a few kilobytes and a zip's directory."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    found = _by_signature(head)
    if found == "application/zip":
        return _kind_of_zip(path)
    if found is not None:
        return found
    if _is_text(head):
        return "text/csv" if name.lower().endswith(".csv") else "text/plain"
    return UNKNOWN


def _by_signature(head: bytes) -> str | None:
    for position, signature, media_type in _SIGNATURES:
        if head[position : position + len(signature)] == signature:
            return media_type
    return None


def _kind_of_zip(path: Path) -> str:
    """Office documents are zips with a known part; nothing is unpacked here."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = {entry.filename for entry in archive.infolist()[:MAX_ZIP_ENTRIES]}
    except (zipfile.BadZipFile, OSError, ValueError):
        return UNKNOWN
    return next((media_type for part, media_type in _OFFICE_PARTS if part in names), "application/zip")


def _is_text(head: bytes) -> bool:
    """UTF-8 (also with a mark), UTF-16 with a mark, or GB 18030, without control characters."""
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    if not head or b"\x00" in head or sum(byte < 9 or 13 < byte < 32 for byte in head) > 0:
        return False
    for encoding in ("utf-8", "gb18030"):
        try:
            # The head may end within a character.
            head[: len(head) - 4 if len(head) == HEAD_BYTES else None].decode(encoding)
        except UnicodeDecodeError as error:
            if len(head) == HEAD_BYTES and error.start > HEAD_BYTES - 8:
                return True
        else:
            return True
    return False
