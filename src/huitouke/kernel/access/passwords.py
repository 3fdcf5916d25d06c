"""Passwords: argon2id with t=2, 19 MiB, p=1 (the OWASP minimum; 25 ms on a small core), always in a thread."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type, hash_secret_raw

from huitouke.kernel.access.guessable import is_guessable
from huitouke.kernel.errors import InvalidInput
from huitouke.kernel.keys import Secret

MIN_CHARACTERS: Final = 8
MAX_CHARACTERS: Final = 128
"""Beyond it nobody types; without it a request could keep a core busy."""

HASHING_THREADS: Final = 2
"""A flood of sign-ins waits in line here instead of taking 19 MiB and a core each."""

TIME_COST: Final = 2
MEMORY_KIB: Final = 19 * 1024
PARALLELISM: Final = 1
DIGEST_BYTES: Final = 32

_hasher = PasswordHasher(time_cost=TIME_COST, memory_cost=MEMORY_KIB, parallelism=PARALLELISM)


class WeakPassword(InvalidInput):
    """The new password is too short, too long, or one that everybody tries first."""

    type = "access.weak_password"


def check_new_password(
    password: Secret, *, sign_in_name: str, near: Iterable[str] = (), field: str = "password"
) -> None:
    """Lets a password pass that may be chosen. `near`: names of the shop and the person, which others think of too.

    Raises:
        WeakPassword: fewer than 8 or more than 128 characters, or one that is tried first (`guessable`).
    """
    text = password.reveal()
    if len(text) < MIN_CHARACTERS:
        raise WeakPassword(field=field, reason="too_short", minimum=MIN_CHARACTERS)
    if len(text) > MAX_CHARACTERS:
        raise WeakPassword(field=field, reason="too_long", maximum=MAX_CHARACTERS)
    if is_guessable(text, (sign_in_name, *near)):
        raise WeakPassword(field=field, reason="too_common")


async def hash_password(password: Secret) -> str:
    """The argon2id hash with its parameters and salt."""
    return await asyncio.get_running_loop().run_in_executor(_threads(), _hasher.hash, password.reveal())


async def verify_password(password: Secret, password_hash: str | None) -> bool:
    """Whether the password belongs to the hash; takes the same time when there is none (no such user, none set yet)."""
    if len(password.reveal()) > MAX_CHARACTERS:
        return False
    return await asyncio.get_running_loop().run_in_executor(_threads(), _verify, password.reveal(), password_hash)


async def slow_digest(text: str, *, salt: bytes) -> bytes:
    """32 bytes by which a text of few bits is found again, as costly to try as a password. The salt has 8 or more."""
    return await asyncio.get_running_loop().run_in_executor(_threads(), _digest, text.encode(), salt)


def needs_new_hash(password_hash: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)


def _verify(password: str, password_hash: str | None) -> bool:
    try:
        return _hasher.verify(password_hash or _hash_of_nobody(), password) and bool(password_hash)
    except (VerificationError, InvalidHashError):
        return False


def _digest(text: bytes, salt: bytes) -> bytes:
    # The parameters stand here and not beside the digest: it is looked for, so it must come out the same.
    return hash_secret_raw(text, salt, TIME_COST, MEMORY_KIB, PARALLELISM, DIGEST_BYTES, Type.ID)


@lru_cache(maxsize=1)
def _hash_of_nobody() -> str:
    return _hasher.hash("the password of nobody")


@lru_cache(maxsize=1)
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=HASHING_THREADS, thread_name_prefix="passwords")
