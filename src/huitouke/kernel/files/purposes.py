"""What files are for, and what each purpose allows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from huitouke.kernel.errors import InvalidInput

MIB: Final = 1024 * 1024
MULTIPART_OVERHEAD_BYTES: Final = 16 * 1024
"""Boundaries, headers and the file's name around the file in a form."""

PICTURES: Final = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
SHEETS: Final = frozenset(
    {
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "text/csv",
        "text/plain",
        # Excel files with a password and old .xls files: the import says which it is and what to do.
        "application/x-ole-storage",
    }
)


@dataclass(frozen=True, slots=True)
class Purpose:
    """A purpose. `kinds` are the media types allowed, None for any; `people` may upload for it."""

    name: str
    limit_bytes: int
    kinds: frozenset[str] | None
    kinds_in_words: str
    people: bool = True
    reencode_pictures: bool = False
    """Pictures are drawn anew: metadata (place, camera) is dropped, hidden content and odd formats end here."""
    passed_on: bool = False
    """Somebody else gets the file under its name: it has to be what the name says."""


PURPOSES: Final[dict[str, Purpose]] = {
    purpose.name: purpose
    for purpose in (
        # Limits of what WeCom takes: image 10 MB, video 10 MB, file 20 MB (path/90253).
        Purpose("message_image", 10 * MIB, PICTURES, "JPG, PNG, GIF, WebP", reencode_pictures=True),
        Purpose("message_file", 20 * MIB, None, "*", passed_on=True),
        Purpose("message_received", 100 * MIB, None, "*", people=False),
        Purpose("knowledge_import", 20 * MIB, SHEETS, "Excel (.xlsx), CSV"),
        Purpose("staff_import", 20 * MIB, SHEETS, "Excel (.xlsx), CSV"),
        Purpose("refusals_import", 5 * MIB, SHEETS, "Excel (.xlsx), CSV"),
    )
}


def purpose_named(name: str) -> Purpose:
    """The purpose of that name.

    Raises:
        InvalidInput: there is none.
    """
    purpose = PURPOSES.get(name)
    if purpose is None:
        raise InvalidInput(field="purpose", reason="unknown_purpose")
    return purpose


def upload_limit_bytes(name: str | None) -> int:
    """The most that a form for that purpose may weigh; the smallest limit when there is no such purpose."""
    purpose = PURPOSES.get(name or "")
    limit = purpose.limit_bytes if purpose is not None and purpose.people else MIB
    return limit + MULTIPART_OVERHEAD_BYTES
