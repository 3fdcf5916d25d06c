"""The name in a Content-Disposition (RFC 6266, RFC 8187), as harmless as a name for people has to be."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote_to_bytes

MAX_CHARACTERS: Final = 200
CHARSETS: Final[Mapping[str, str]] = {"utf-8": "utf-8", "iso-8859-1": "latin-1", "gbk": "gb18030", "gb18030": "gb18030"}

_PARAMETER: Final = re.compile(r';\s*([^\s=;"]+)\s*=\s*(?:"((?:\\.|[^"\\])*)"|([^;]*))', re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_ENCODED: Final = re.compile(r"(?:[A-Za-z0-9_.~-]|%[0-9A-Fa-f]{2})+")
"""What nothing but percent-encoding makes: every other character stands as %XX."""

_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Categories of characters that nobody sees, among them those that turn the reading direction ("fdp.exe")."""


def filename_of(disposition: str) -> str:
    """The last part of the file's name, without path and invisible characters; empty where there is none.

    `filename*` counts before `filename`. WeCom's plain names are UTF-8 or percent-encoded, which RFC 6266 doesn't
    know: both are read.
    """
    found = {name.lower(): (quoted, bare) for name, quoted, bare in _PARAMETER.findall(f";{_parameters(disposition)}")}
    quoted, bare = found.get("filename*", ("", ""))
    name = _extended((quoted or bare).strip())
    if not name and "filename" in found:
        quoted, bare = found["filename"]
        name = _plain(_ESCAPED.sub(r"\1", quoted) if quoted else bare.strip())
    return _harmless(name)


def _parameters(disposition: str) -> str:
    """What follows the type (`attachment`); some servers leave it out."""
    first, separator, rest = disposition.partition(";")
    return disposition if "=" in first else rest if separator else ""


def _extended(value: str) -> str:
    """`charset'language'percent-encoded`; empty where it is broken, so that the plain name counts."""
    charset, first, rest = value.partition("'")
    _, second, encoded = rest.partition("'")
    known = CHARSETS.get(charset.strip().lower())
    if not first or not second or known is None:
        return ""
    try:
        return unquote_to_bytes(encoded).decode(known)
    except UnicodeError:
        return ""


def _plain(value: str) -> str:
    if "%" in value and _ENCODED.fullmatch(value):
        try:
            return unquote_to_bytes(value).decode()
        except UnicodeError:
            return value
    return _as_utf8(value)


def _as_utf8(header: str) -> str:
    """httpx2 reads headers as Latin-1 when not all of them are UTF-8; WeCom's names are UTF-8."""
    try:
        return header.encode("latin-1").decode()
    except UnicodeError:
        return header


def _harmless(name: str) -> str:
    """No folder, no invisible character, not too long; the ending stays, which says what it is."""
    last = re.split(r"[\\/]", name)[-1]
    seen = " ".join("".join(one for one in last if unicodedata.category(one) not in _HIDDEN).split())
    if not seen.strip(". "):
        return ""
    if len(seen) <= MAX_CHARACTERS:
        return seen
    stem, dot, ending = seen.rpartition(".")
    if not dot or len(ending) > 20:
        return seen[:MAX_CHARACTERS]
    return f"{stem[: MAX_CHARACTERS - len(ending) - 1]}.{ending}"
