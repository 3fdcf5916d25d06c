"""Identifiers in the shapes of the real ones (prefix and length), random."""

import secrets
import string

_ALPHABET = string.ascii_letters + string.digits


def random_text(length: int) -> str:
    """`length` letters and digits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def new_corp_id() -> str:
    return "ww" + secrets.token_hex(8)


def new_secret() -> str:
    return random_text(43)


def new_open_kfid() -> str:
    return "wk" + random_text(30)


def new_external_userid() -> str:
    return "wm" + random_text(30)


def new_msgid() -> str:
    """32 characters, the longest a message id may be (path/94677)."""
    return random_text(32)


def new_media_id() -> str:
    return "3" + random_text(42)


def new_link_id() -> str:
    return "kfc" + random_text(14)


def new_code() -> str:
    return random_text(40)


def new_access_token() -> str:
    return random_text(86)
