"""Secrets at rest: the type they have in memory, the key ring, sealing, and signing keys derived from the ring.

A sealed value is the text `v1.<kid>.<nonce>.<ciphertext>` (base64url, no padding): AES-256-GCM with a random nonce
of 96 bits. The additional data `tenant|table|column|row id` ties it to its place, so that a value copied into
another row or another tenant's table can't be opened.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import hmac
import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NoReturn
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from huitouke.kernel.context import Context
from huitouke.kernel.settings import Settings, get_settings

KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12
MAX_KEYS: Final = 16
MAKE_KEYS_COMMAND: Final = "huitouke keys make"
PLATFORM: Final = "platform"
"""Stands in the additional data where the tenant would, for rows that belong to none."""

_FORMAT: Final = "v1"
_KID = re.compile(r"[a-z0-9]{1,16}")


class KeysError(RuntimeError):
    """The key ring is missing, unreadable or malformed; the message says what to do."""


class UnsealError(RuntimeError):
    """A sealed value can't be opened: another row's value, a key that is no longer in the ring, or damage."""


class Secret:
    """A text that must not leak: it can't be printed, formatted, pickled or serialised; `reveal` gives it."""

    __slots__ = ("_value",)
    __hash__ = None  # type: ignore[assignment]  # a secret is no key of a dict

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The text itself, for the one call that needs it."""
        return self._value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return "<secret>"

    def __str__(self) -> NoReturn:
        raise TypeError("a Secret can't become text; use reveal() where it is needed")

    def __format__(self, format_spec: str) -> NoReturn:
        raise TypeError("a Secret can't be formatted; use reveal() where it is needed")

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        raise TypeError("a Secret can't be pickled")

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Secret:
        return self

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Models may take a secret in (API keys, passwords) and never give one out."""
        return core_schema.no_info_after_validator_function(
            lambda value: value if isinstance(value, cls) else cls(_encodable(value)),
            core_schema.union_schema([core_schema.is_instance_schema(cls), core_schema.str_schema()]),
            serialization=core_schema.plain_serializer_function_ser_schema(_refuse_to_serialise),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {"type": "string", "format": "password", "writeOnly": True}


def _encodable(value: str) -> str:
    """JSON can name half a character (\\ud800), which can be neither hashed nor sealed."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise PydanticCustomError("string_unicode", "not valid Unicode") from None
    return value


def _refuse_to_serialise(value: Any) -> NoReturn:
    raise TypeError("a Secret can't be serialised")


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Keys by id; the first one encrypts and signs, all of them decrypt and verify."""

    kids: tuple[str, ...]
    _keys: tuple[bytes, ...]

    def __repr__(self) -> str:
        return f"KeyRing({self.fingerprint()})"

    @classmethod
    def parse(cls, text: str) -> KeyRing:
        """The ring out of `kid:base64,kid:base64`.

        Raises:
            KeysError: there is no key, too many, or one is malformed; never names a key's value.
        """
        kids: list[str] = []
        values: list[bytes] = []
        for number, part in enumerate(filter(None, (piece.strip() for piece in re.split(r"[,\n]", text))), start=1):
            kid, separator, encoded = part.partition(":")
            if not separator or not _KID.fullmatch(kid):
                raise KeysError(f"key {number} of the ring must look like kid:base64, kid in a-z and 0-9")
            try:
                value = base64.b64decode(encoded, validate=True)
            except binascii.Error as error:
                raise KeysError(f"key {kid!r} of the ring is not base64") from error
            if len(value) != KEY_BYTES:
                raise KeysError(f"key {kid!r} of the ring has {len(value)} bytes, not {KEY_BYTES}")
            if kid in kids:
                raise KeysError(f"key {kid!r} stands in the ring twice")
            kids.append(kid)
            values.append(value)
        if not kids:
            raise KeysError(f"the key ring is empty; make one with: {MAKE_KEYS_COMMAND}")
        if len(kids) > MAX_KEYS:
            raise KeysError(f"the key ring has {len(kids)} keys, at most {MAX_KEYS} are allowed; remove old ones")
        return cls(tuple(kids), tuple(values))

    def serialise(self) -> str:
        """The text that `parse` reads; for the key file only."""
        return ",".join(
            f"{kid}:{base64.b64encode(key).decode()}" for kid, key in zip(self.kids, self._keys, strict=True)
        )

    def with_new_first(self) -> KeyRing:
        """The ring with a fresh key in front; what is sealed with the others can still be opened."""
        fresh = make_ring()
        return KeyRing((*fresh.kids, *self.kids), (*fresh._keys, *self._keys))

    def without_old(self) -> KeyRing:
        """The ring with nothing but its first key, once everything has been sealed anew."""
        return KeyRing(self.kids[:1], self._keys[:1])

    @property
    def first_kid(self) -> str:
        """The id of the key that encrypts."""
        return self.kids[0]

    def fingerprint(self) -> str:
        """Ids and a short digest of the keys: enough to tell rings apart, useless to an attacker."""
        digests = (
            f"{kid}={hashlib.sha256(b'huitouke-fingerprint' + key).hexdigest()[:12]}"
            for kid, key in zip(self.kids, self._keys, strict=True)
        )
        return " ".join(digests)

    def seal(self, place: str, secret: Secret) -> str:
        """Encrypts `secret` for its place (`tenant|table|column|row id`)."""
        nonce = os.urandom(NONCE_BYTES)
        ciphertext = AESGCM(self._keys[0]).encrypt(nonce, secret.reveal().encode(), place.encode())
        return ".".join((_FORMAT, self.first_kid, _encode(nonce), _encode(ciphertext)))

    def unseal(self, place: str, sealed: str) -> Secret:
        """Opens what `seal` made for the same place.

        Raises:
            UnsealError: made for another place, with a key that is not in the ring, or damaged.
        """
        parts = sealed.split(".")
        if len(parts) != 4 or parts[0] != _FORMAT:
            raise UnsealError("this is no sealed value of version v1")
        _, kid, nonce, ciphertext = parts
        if kid not in self.kids:
            raise UnsealError(f"sealed with key {kid!r}, which is not in the key ring")
        key = self._keys[self.kids.index(kid)]
        try:
            plain = AESGCM(key).decrypt(_decode(nonce), _decode(ciphertext), place.encode())
        except (InvalidTag, binascii.Error, ValueError) as error:
            raise UnsealError("the sealed value does not belong to this place, or is damaged") from error
        return Secret(plain.decode())

    def signing_keys(self, label: str) -> tuple[bytes, ...]:
        """Keys of 32 bytes derived by HKDF for one purpose: the first signs, any of them verifies."""
        return tuple(
            HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=f"huitouke|{label}".encode()).derive(key)
            for key in self._keys
        )

    def sign(self, label: str, message: bytes) -> bytes:
        """HMAC-SHA256 with the first key of that label, 32 bytes."""
        return hmac.digest(self.signing_keys(label)[0], message, "sha256")

    def verify(self, label: str, message: bytes, signature: bytes) -> bool:
        """Whether any key of the ring made this signature for that label."""
        return any(
            hmac.compare_digest(hmac.digest(key, message, "sha256"), signature) for key in self.signing_keys(label)
        )


def make_ring() -> KeyRing:
    """A ring of one fresh random key."""
    return KeyRing((os.urandom(4).hex(),), (os.urandom(KEY_BYTES),))


def read_ring(settings: Settings) -> KeyRing:
    """The ring of this installation: HUITOUKE_KEYS, else the key file.

    Raises:
        KeysError: there is none, it is malformed, or others may read the file.
    """
    if settings.keys is not None:
        return KeyRing.parse(settings.keys.get_secret_value())
    path = settings.key_file
    if not path.exists():
        raise KeysError(f"there is no key ring: set HUITOUKE_KEYS, or make {path} with: {MAKE_KEYS_COMMAND}")
    mode = stat.S_IMODE(path.stat().st_mode)
    if os.name == "posix" and mode & 0o077:
        raise KeysError(f"others may read the key file; run: chmod 600 {path}")
    return KeyRing.parse(path.read_text(encoding="ascii"))


def write_ring(path: Path, ring: KeyRing, *, overwrite: bool = False) -> None:
    """Writes the key file with mode 0600, whole or not at all.

    Raises:
        FileExistsError: there is one already and `overwrite` is off: a lost ring is lost data.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(ring.serialise().replace(",", "\n") + "\n")
            file.flush()
            os.fsync(file.fileno())
        if overwrite:
            temporary.replace(path)
        else:
            os.link(temporary, path)  # unlike a rename it fails when another process was faster
    finally:
        temporary.unlink(missing_ok=True)


def ensure_ring(settings: Settings) -> KeyRing:
    """The ring, made when there is none and the database is the embedded one, which lies in the same folder.

    Raises:
        KeysError: there is none and the database is elsewhere, so that a lost file would lose its secrets.
    """
    if settings.keys is None and settings.database_url is None:
        make_ring_file(settings.key_file)
    return read_ring(settings)


def make_ring_file(path: Path) -> None:
    """Makes a key file with a fresh ring where there is none; an existing one stays as it is."""
    if not path.exists():
        with contextlib.suppress(FileExistsError):  # another process of this installation was faster: its ring counts
            write_ring(path, make_ring())


_ring: KeyRing | None = None
_ring_version: int | None = None


def get_key_ring() -> KeyRing:
    """The ring of this process. A changed key file is read anew, so that `keys rotate` needs no restart.

    Raises:
        KeysError: there is none, or it is malformed.
    """
    global _ring, _ring_version
    settings = get_settings()
    if _ring is not None and (settings.keys is not None or _file_version(settings.key_file) == _ring_version):
        return _ring
    ring = ensure_ring(settings)
    _ring_version = None if settings.keys is not None else _file_version(settings.key_file)
    _ring = ring
    return ring


def _file_version(path: Path) -> int:
    """The time of the file's last change in nanoseconds; a microsecond's work."""
    return path.stat().st_mtime_ns if path.exists() else 0


def seal(scope: Context | UUID | None, table: str, column: str, row_id: UUID | str, secret: Secret) -> str:
    """Encrypts a secret for `table.column` of that row of the tenant (its context or its id), or of the platform."""
    return get_key_ring().seal(place(scope, table, column, row_id), secret)


def unseal(scope: Context | UUID | None, table: str, column: str, row_id: UUID | str, sealed: str) -> Secret:
    """Opens what `seal` made for the same tenant (or none), table, column and row.

    Raises:
        UnsealError: it was made for another place, its key is gone, or it is damaged.
    """
    return get_key_ring().unseal(place(scope, table, column, row_id), sealed)


def place(scope: Context | UUID | None, table: str, column: str, row_id: UUID | str) -> str:
    """The additional data of a sealed value. Without a scope the row is the platform's."""
    tenant_id = scope.tenant_id if isinstance(scope, Context) else scope
    return f"{tenant_id or PLATFORM}|{table}|{column}|{row_id}"


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A text column that holds sealed values; `key` is the column whose value stands in the additional data."""

    table: str
    column: str
    key: str
    platform: bool
    """Whether the table is the platform's, so that its rows belong to no tenant."""


_sealed_columns: dict[tuple[str, str], SealedColumn] = {}


def sealed_column(table: str, column: str, *, key: str = "id", platform: bool = False) -> SealedColumn:
    """Names a column that holds sealed values, so that `huitouke keys rotate` finds it.

    Called beside the model that has the column.
    """
    registered = SealedColumn(table, column, key, platform)
    _sealed_columns[(table, column)] = registered
    return registered


def sealed_columns() -> Sequence[SealedColumn]:
    """All columns named so far."""
    return tuple(_sealed_columns.values())


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
