"""Where all processes share WeCom's access tokens and agree on who renews one (`wechat.tokens.TokenStore`)."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import delete, or_, update
from sqlalchemy.dialects.postgresql import insert

from huitouke.kernel import clock
from huitouke.kernel.context import Context, job_context
from huitouke.kernel.database import transaction
from huitouke.kernel.keys import Secret, seal, unseal
from huitouke.modules.organization.models import AccessToken
from huitouke.wechat.tokens import Credential, StoredToken

_TABLE: Final = "access_tokens"
_COLUMN: Final = "token_sealed"


def credential_key(tenant_id: UUID, app_id: UUID) -> str:
    """How the token centre names the credential of an app."""
    return f"{tenant_id}/{app_id}"


class DatabaseTokenStore:
    """Tokens in `access_tokens`, sealed. Every method is a transaction of its own.

    Who wins `begin_refresh` is decided by one guarded upsert; a token is only saved where the refresh it belongs to
    is still the running one, so that a changed secret (which deletes the row) can't be overtaken by an old answer.
    """

    async def read(self, credential: Credential) -> StoredToken | None:
        """The token last saved, expired or not."""
        context, app_id = _place(credential)
        async with transaction(context) as ctx:
            row = await ctx.session.get(AccessToken, (context.tenant_id, app_id))
            if row is None or row.token_sealed is None or row.expires_at is None:
                return None
            token = unseal(context, _TABLE, _COLUMN, app_id, row.token_sealed)
            return StoredToken(token.reveal(), row.expires_at)

    async def begin_refresh(self, credential: Credential, until: datetime) -> bool:
        """Reserves the refresh; true for exactly one caller while no other reservation is alive."""
        context, app_id = _place(credential)
        statement = insert(AccessToken).values(
            tenant_id=context.tenant_id, credential_id=app_id, refreshing_until=until
        )
        reserve = statement.on_conflict_do_update(
            index_elements=["tenant_id", "credential_id"],
            set_={"refreshing_until": until},
            where=or_(AccessToken.refreshing_until.is_(None), AccessToken.refreshing_until <= clock.now()),
        ).returning(AccessToken.credential_id)
        async with transaction(context) as ctx:
            return (await ctx.session.execute(reserve)).scalar_one_or_none() is not None

    async def save(self, credential: Credential, token: str, expires_at: datetime) -> None:
        """Stores the token and ends the reservation."""
        context, app_id = _place(credential)
        sealed = seal(context, _TABLE, _COLUMN, app_id, Secret(token))
        await _change(context, app_id, token_sealed=sealed, expires_at=expires_at)

    async def abandon_refresh(self, credential: Credential) -> None:
        """Ends the reservation without a token."""
        context, app_id = _place(credential)
        await _change(context, app_id)

    async def drop(self, credential: Credential, token: str) -> bool:
        """Forgets the stored token where it is still this one."""
        context, app_id = _place(credential)
        async with transaction(context) as ctx:
            row = await ctx.session.get(AccessToken, (context.tenant_id, app_id), with_for_update=True)
            if row is None or row.token_sealed is None:
                return False
            if unseal(context, _TABLE, _COLUMN, app_id, row.token_sealed) != Secret(token):
                return False
            row.token_sealed = row.expires_at = None
            return True


async def forget_token(ctx: Context, app_id: UUID) -> None:
    """A new secret: whatever was fetched with the old one is gone, also what is on its way."""
    await ctx.session.execute(delete(AccessToken).where(AccessToken.credential_id == app_id))


async def _change(context: Context, app_id: UUID, **values: object) -> None:
    async with transaction(context) as ctx:
        await ctx.session.execute(
            update(AccessToken)
            .where(AccessToken.credential_id == app_id, AccessToken.refreshing_until.is_not(None))
            .values(refreshing_until=None, **values)
            .execution_options(synchronize_session=False)
        )


def _place(credential: Credential) -> tuple[Context, UUID]:
    tenant_id, _, app_id = credential.key.partition("/")
    return job_context(UUID(tenant_id)), UUID(app_id)
