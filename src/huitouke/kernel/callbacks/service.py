"""Endpoints of callbacks and what came in on them, for the modules that own the things behind them."""

import secrets
import string
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import delete, func, literal, null, select, union_all, update

from huitouke.kernel import clock
from huitouke.kernel.callbacks.kinds import Endpoint
from huitouke.kernel.callbacks.models import Callback, CallbackEndpoint, CallbackRefusal
from huitouke.kernel.context import Context
from huitouke.kernel.database import connection
from huitouke.kernel.errors import Conflict, NotFound
from huitouke.kernel.ids import new_id
from huitouke.kernel.keys import Secret, seal, unseal
from huitouke.kernel.paging import DEFAULT_LIMIT, Page, decode_cursor, encode_cursor, page_of
from huitouke.kernel.work import wake

CALLBACK_ID_BYTES: Final = 16
TOKEN_CHARACTERS: Final = 32
"""WeCom takes 3 to 32 letters and digits (path/90930)."""
AES_KEY_CHARACTERS: Final = 43
"""EncodingAESKey: 43 letters and digits (path/90930)."""
REFUSALS_KEPT: Final = 100
BODIES_LIMIT: Final = 1000

_NEWEST_BODY: Final = """
SELECT id, received_at, account, body
  FROM callbacks
 WHERE tenant_id = $1 AND kind = $2 AND account = $3
 ORDER BY id DESC
 LIMIT 1
"""

_ALPHABET: Final = string.ascii_letters + string.digits
_LAST_OF_KEY: Final = "AEIMQUYcgkosw048"
"""43 characters of base64 hold 258 bits: the last one's two low bits must be zero for strict decoders."""


class CallbackHasNoWork(Conflict):
    """The callback woke nothing when it came, so it can't be replayed."""

    type = "callbacks.no_work"


@dataclass(frozen=True, slots=True)
class ReceivedCallback:
    """A line of the list of callbacks; `event` stands for accepted ones, `reason` for refused ones."""

    id: UUID
    received_at: datetime
    state: Literal["accepted", "refused"]
    event: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class StoredBody:
    """The decrypted body of an accepted callback."""

    id: UUID
    received_at: datetime
    account: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Heard:
    """What came in for one thing. `refused_at` and `refusal` tell of the newest refused request."""

    accepted_at: datetime | None
    verified_at: datetime | None
    refused_at: datetime | None
    refusal: str | None

    @property
    def refused_last(self) -> bool:
        """Whether nothing has been right since the newest refusal."""
        right = max((one for one in (self.accepted_at, self.verified_at) if one is not None), default=None)
        return self.refused_at is not None and (right is None or right < self.refused_at)


async def create_endpoint(ctx: Context, kind: str, reference_id: UUID, receive_id: str) -> Endpoint:
    """A new address with random secrets for what `reference_id` names (e.g. a WeCom app)."""
    endpoint = Endpoint(
        id=new_id(),
        tenant_id=ctx.tenant_id,
        kind=kind,
        callback_id=secrets.token_hex(CALLBACK_ID_BYTES),
        receive_id=receive_id,
        token=_new_token(),
        aes_key=_new_aes_key(),
        reference_id=reference_id,
    )
    ctx.session.add(
        CallbackEndpoint(
            id=endpoint.id,
            kind=kind,
            callback_id=endpoint.callback_id,
            receive_id=receive_id,
            token_sealed=_seal(ctx, "token_sealed", endpoint.id, endpoint.token),
            aes_key_sealed=_seal(ctx, "aes_key_sealed", endpoint.id, endpoint.aes_key),
            reference_id=reference_id,
            created_at=clock.now(),
        )
    )
    await ctx.session.flush()
    return endpoint


async def endpoint_of(ctx: Context, reference_id: UUID) -> Endpoint:
    """The endpoint of that thing, the newest if it has several.

    Raises:
        NotFound: it has none.
    """
    row = (
        await ctx.session.execute(
            select(CallbackEndpoint)
            .where(CallbackEndpoint.reference_id == reference_id)
            .order_by(CallbackEndpoint.id.desc())
            .limit(1)
        )
    ).scalar_one_or_none()
    if row is None:
        raise NotFound
    return opened(row)


async def rotate(ctx: Context, endpoint_id: UUID) -> Endpoint:
    """New token and key at the same address; processes that know the old ones forget them within 60 s.

    Raises:
        NotFound: there is no such endpoint.
    """
    row = await _row(ctx, endpoint_id)
    row.token_sealed = _seal(ctx, "token_sealed", row.id, _new_token())
    row.aes_key_sealed = _seal(ctx, "aes_key_sealed", row.id, _new_aes_key())
    row.rotated_at = clock.now()
    row.verified_at = None
    await ctx.session.flush()
    return opened(row)


async def set_receive_id(ctx: Context, endpoint_id: UUID, receive_id: str) -> None:
    """Changes whose callbacks are taken (a corp id that was corrected).

    Raises:
        NotFound: there is no such endpoint.
    """
    row = await _row(ctx, endpoint_id)
    row.receive_id = receive_id
    row.rotated_at = clock.now()
    row.verified_at = None
    await ctx.session.flush()


async def delete_endpoints(ctx: Context, reference_id: UUID) -> None:
    """Takes away the addresses of that thing with their secrets; what came in on them expires as always.

    Processes that know an address forget it within 60 s.
    """
    endpoints = select(CallbackEndpoint.id).where(CallbackEndpoint.reference_id == reference_id)
    await ctx.session.execute(
        delete(CallbackRefusal)
        .where(CallbackRefusal.endpoint_id.in_(endpoints))
        .execution_options(synchronize_session=False)
    )
    await ctx.session.execute(
        delete(CallbackEndpoint)
        .where(CallbackEndpoint.reference_id == reference_id)
        .execution_options(synchronize_session=False)
    )


async def list_received(
    ctx: Context, reference_id: UUID, *, limit: int = DEFAULT_LIMIT, cursor: str | None = None
) -> Page[Any]:
    """What came in on the endpoints of that thing, newest first, accepted (30 days) and refused (the last 100).

    The items are `ReceivedCallback`.
    """
    endpoints = select(CallbackEndpoint.id).where(CallbackEndpoint.reference_id == reference_id)
    accepted = select(
        Callback.id, Callback.received_at, literal("accepted").label("state"), Callback.event, null().label("reason")
    ).where(Callback.endpoint_id.in_(endpoints))
    refused = select(
        CallbackRefusal.id,
        CallbackRefusal.received_at,
        literal("refused"),
        null(),
        CallbackRefusal.reason,
    ).where(CallbackRefusal.endpoint_id.in_(endpoints))
    if cursor is not None:
        (before,) = decode_cursor(cursor, UUID)
        accepted = accepted.where(Callback.id < before)
        refused = refused.where(CallbackRefusal.id < before)
    # Each half is cut by its own index, so the list costs two short index scans however many there are.
    halves = [
        half.where(table.tenant_id == ctx.tenant_id).order_by(table.id.desc()).limit(limit + 1).subquery()
        for half, table in ((accepted, Callback), (refused, CallbackRefusal))
    ]
    both = union_all(*(select(half) for half in halves)).subquery()
    rows = (await ctx.session.execute(select(both).order_by(both.c.id.desc()).limit(limit + 1))).all()
    items = [ReceivedCallback(row.id, row.received_at, row.state, row.event, row.reason) for row in rows]
    return page_of(items, limit, lambda item: encode_cursor(item.id))


async def last_accepted_at(ctx: Context, reference_id: UUID) -> datetime | None:
    """When a verified callback came in last for that thing; None: never (or not within 30 days)."""
    endpoints = select(CallbackEndpoint.id).where(CallbackEndpoint.reference_id == reference_id)
    moment: datetime | None = await ctx.session.scalar(
        select(func.max(Callback.received_at)).where(
            Callback.tenant_id == ctx.tenant_id, Callback.endpoint_id.in_(endpoints)
        )
    )
    return moment


async def heard(ctx: Context, reference_id: UUID) -> Heard:
    """What came in last for that thing: accepted within 30 days, checked ever, refused within the last 100."""
    endpoints = (
        await ctx.session.execute(
            select(CallbackEndpoint.id, CallbackEndpoint.verified_at, CallbackEndpoint.rotated_at).where(
                CallbackEndpoint.reference_id == reference_id
            )
        )
    ).all()
    changed = max((row.rotated_at for row in endpoints if row.rotated_at is not None), default=None)
    refused = (
        await ctx.session.execute(
            select(CallbackRefusal.received_at, CallbackRefusal.reason)
            .where(
                CallbackRefusal.tenant_id == ctx.tenant_id,
                CallbackRefusal.endpoint_id.in_([row.id for row in endpoints]),
            )
            .order_by(CallbackRefusal.id.desc())
            .limit(1)
        )
    ).one_or_none()
    verified = max((row.verified_at for row in endpoints if row.verified_at is not None), default=None)
    accepted = await last_accepted_at(ctx, reference_id)
    if refused is None or (changed is not None and refused.received_at < changed):
        return Heard(accepted, verified, None, None)  # what was refused for the keys before says nothing of these
    return Heard(accepted, verified, refused.received_at, refused.reason)


async def replay(ctx: Context, callback_row_id: UUID) -> None:
    """Brings the wake-up of an accepted callback again.

    Raises:
        NotFound: there is no accepted callback of that id.
        CallbackHasNoWork: it brought none.
    """
    row = (
        await ctx.session.execute(
            select(Callback.wake_kind, Callback.wake_key).where(
                Callback.tenant_id == ctx.tenant_id, Callback.id == callback_row_id
            )
        )
    ).one_or_none()
    if row is None:
        raise NotFound
    if row.wake_kind is None or row.wake_key is None:
        raise CallbackHasNoWork
    await wake(ctx, row.wake_kind, row.wake_key)


async def newest_body(ctx: Context, kind: str, account: str) -> StoredBody | None:
    """The newest accepted callback of that kind and account (e.g. for the token inside); None when there is none."""
    raw = await connection(ctx)
    row = await raw.fetchrow(_NEWEST_BODY, ctx.tenant_id, kind, account)
    return None if row is None else StoredBody(**dict(row))


async def bodies_after(
    ctx: Context, kind: str, account: str, after: UUID | None = None, limit: int = 100
) -> list[StoredBody]:
    """Accepted callbacks of that kind and account in the order in which they came, those after the id `after`."""
    query = select(Callback.id, Callback.received_at, Callback.account, Callback.body).where(
        Callback.tenant_id == ctx.tenant_id, Callback.kind == kind, Callback.account == account
    )
    if after is not None:
        query = query.where(Callback.id > after)
    rows = (await ctx.session.execute(query.order_by(Callback.id).limit(min(limit, BODIES_LIMIT)))).all()
    return [StoredBody(row.id, row.received_at, row.account, bytes(row.body)) for row in rows]


async def record_refusal(ctx: Context, endpoint_id: UUID, refusal_id: UUID, reason: str, received_at: datetime) -> None:
    """Keeps a refused request, and of each endpoint the newest 100. The id tells the order among all callbacks."""
    ctx.session.add(CallbackRefusal(endpoint_id=endpoint_id, id=new_id(), reason=reason, received_at=received_at))
    await ctx.session.flush()
    kept = (
        select(CallbackRefusal.id)
        .where(CallbackRefusal.tenant_id == ctx.tenant_id, CallbackRefusal.endpoint_id == endpoint_id)
        .order_by(CallbackRefusal.id.desc())
        .limit(REFUSALS_KEPT)
    )
    await ctx.session.execute(
        delete(CallbackRefusal)
        .where(CallbackRefusal.endpoint_id == endpoint_id, CallbackRefusal.id.not_in(kept))
        .execution_options(synchronize_session=False)
    )


async def record_verified(ctx: Context, endpoint_id: UUID, verified_at: datetime) -> None:
    """Keeps when the sender's check of the address was answered."""
    await ctx.session.execute(
        update(CallbackEndpoint)
        .where(CallbackEndpoint.tenant_id == ctx.tenant_id, CallbackEndpoint.id == endpoint_id)
        .values(verified_at=verified_at)
        .execution_options(synchronize_session=False)
    )


def opened(row: CallbackEndpoint) -> Endpoint:
    """The endpoint of a row, its secrets unsealed."""
    return Endpoint(
        id=row.id,
        tenant_id=row.tenant_id,
        kind=row.kind,
        callback_id=row.callback_id,
        receive_id=row.receive_id,
        token=unseal_column(row.tenant_id, "token_sealed", row.id, row.token_sealed),
        aes_key=unseal_column(row.tenant_id, "aes_key_sealed", row.id, row.aes_key_sealed),
        reference_id=row.reference_id,
    )


def unseal_column(tenant_id: UUID, column: str, endpoint_id: UUID, sealed: str) -> Secret:
    """A secret of an endpoint's row."""
    return unseal(tenant_id, CallbackEndpoint.__tablename__, column, endpoint_id, sealed)


def _seal(ctx: Context, column: str, endpoint_id: UUID, secret: Secret) -> str:
    return seal(ctx, CallbackEndpoint.__tablename__, column, endpoint_id, secret)


async def _row(ctx: Context, endpoint_id: UUID) -> CallbackEndpoint:
    row = (
        await ctx.session.execute(select(CallbackEndpoint).where(CallbackEndpoint.id == endpoint_id))
    ).scalar_one_or_none()
    if row is None:
        raise NotFound
    return row


def _new_token() -> Secret:
    return Secret("".join(secrets.choice(_ALPHABET) for _ in range(TOKEN_CHARACTERS)))


def _new_aes_key() -> Secret:
    body = "".join(secrets.choice(_ALPHABET) for _ in range(AES_KEY_CHARACTERS - 1))
    return Secret(body + secrets.choice(_LAST_OF_KEY))
