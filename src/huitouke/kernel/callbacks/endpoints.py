"""From a callback's address to its endpoint, cached 60 s per process."""

from collections import OrderedDict
from dataclasses import dataclass
from time import monotonic
from typing import Final

from sqlalchemy import text

from huitouke.kernel.callbacks.kinds import Endpoint
from huitouke.kernel.callbacks.service import unseal_column
from huitouke.kernel.database import platform_transaction

KNOWN_SECONDS: Final = 60.0
UNKNOWN_SECONDS: Final = 5.0
FRESH_SECONDS: Final = 1.0
"""What was read less than this ago is not read again because a signature was wrong."""
ENTRIES_LIMIT: Final = 10_000


@dataclass(frozen=True, slots=True)
class _Entry:
    endpoint: Endpoint | None
    read_at: float


class Endpoints:
    """The endpoints that this process knows."""

    def __init__(self) -> None:
        self._entries: OrderedDict[tuple[str, str], _Entry] = OrderedDict()

    async def find(self, kind: str, callback_id: str) -> Endpoint | None:
        """The endpoint of that address; None when there is none."""
        entry = self._entries.get((kind, callback_id))
        if entry is not None:
            age = monotonic() - entry.read_at
            if age < (KNOWN_SECONDS if entry.endpoint is not None else UNKNOWN_SECONDS):
                return entry.endpoint
        return await self._read(kind, callback_id)

    async def find_again(self, known: Endpoint) -> Endpoint | None:
        """The endpoint as it is now, if its keys changed since it was read: someone rotated them. Else None."""
        entry = self._entries.get((known.kind, known.callback_id))
        if entry is not None and monotonic() - entry.read_at < FRESH_SECONDS:
            return None
        endpoint = await self._read(known.kind, known.callback_id)
        return endpoint if endpoint is not None and endpoint != known else None

    async def _read(self, kind: str, callback_id: str) -> Endpoint | None:
        async with platform_transaction() as session:
            row = (
                await session.execute(
                    text("SELECT * FROM resolve_callback(:kind, :callback_id)"),
                    {"kind": kind, "callback_id": callback_id},
                )
            ).one_or_none()
        endpoint = None
        if row is not None:
            endpoint = Endpoint(
                id=row.id,
                tenant_id=row.tenant_id,
                kind=kind,
                callback_id=callback_id,
                receive_id=row.receive_id,
                token=unseal_column(row.tenant_id, "token_sealed", row.id, row.token_sealed),
                aes_key=unseal_column(row.tenant_id, "aes_key_sealed", row.id, row.aes_key_sealed),
                reference_id=row.reference_id,
            )
        place = (kind, callback_id)
        self._entries[place] = _Entry(endpoint, monotonic())
        self._entries.move_to_end(place)
        while len(self._entries) > ENTRIES_LIMIT:
            self._entries.popitem(last=False)
        return endpoint
