"""Clients that call WeCom for an app. One HTTP pool and one token centre per process and address."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID
from weakref import WeakKeyDictionary

import httpx2

from huitouke.kernel import clock
from huitouke.kernel.context import Context
from huitouke.kernel.database import connection
from huitouke.kernel.errors import NotFound
from huitouke.kernel.keys import Secret, unseal
from huitouke.kernel.settings import get_settings
from huitouke.kernel.work import Gathering
from huitouke.modules.organization.service.call_failures import counter
from huitouke.modules.organization.service.tokens import DatabaseTokenStore, credential_key
from huitouke.sms import AliyunSms, SmsProvider
from huitouke.wechat.client import WecomClient, token_fetcher
from huitouke.wechat.group_robots import GroupRobotClient
from huitouke.wechat.tokens import Credential, TokenCentre

MAX_CONNECTIONS: Final = 100
MAX_IDLE_CONNECTIONS: Final = 20

_pools: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, tuple[httpx2.AsyncClient, TokenCentre]]] = (
    WeakKeyDictionary()
)


async def wecom_client(context: Context, app_id: UUID) -> WecomClient:
    """The client of that app; opens a short transaction of its own, so call it outside of one.

    Raises NotFound.
    """
    app = await _app(context, app_id)
    if app is None:
        raise NotFound(kind="wecom_app")
    secret = unseal(context, "wecom_apps", "secret_sealed", app.id, app.secret_sealed)
    credential = Credential(app.corp_id, secret.reveal(), credential_key(context.tenant_id, app.id))
    base_url = get_settings().wecom_base_url
    http, tokens = _pool(base_url)
    return WecomClient(http, tokens, credential, base_url, failed=counter(context, app.id))


@dataclass(frozen=True, slots=True)
class _App:
    """What calls need of an app."""

    id: UUID
    corp_id: str
    secret_sealed: str


async def _read(ctx: Context, app_ids: Sequence[UUID]) -> list[_App | None]:
    raw = await connection(ctx)
    rows = await raw.fetch(
        "SELECT id, corp_id, secret_sealed FROM wecom_apps WHERE tenant_id = $1 AND id = ANY($2::uuid[])",
        ctx.tenant_id,
        list(app_ids),
    )
    apps = {row["id"]: _App(*row) for row in rows}
    return [apps.get(app_id) for app_id in app_ids]


_app = Gathering(_read, fenced=False)
"""Each call needs its app's row; calls at the same time read it once."""


def wecom_http() -> httpx2.AsyncClient:
    """The connections to WeCom of this event loop, for what needs no token."""
    return _pool(get_settings().wecom_base_url)[0]


async def close_clients() -> None:
    """Closes the connections of this event loop; called when the process ends."""
    for http, _ in _pools.pop(asyncio.get_running_loop(), {}).values():
        await http.aclose()


def group_robot(key: Secret) -> GroupRobotClient:
    """The client of the robot with that key."""
    base_url = get_settings().wecom_base_url
    return GroupRobotClient(_pool(base_url)[0], key.reveal(), base_url)


def sms_provider(access_key_id: str, secret: Secret) -> SmsProvider:
    """The provider of SMS with that account."""
    base_url = get_settings().sms_base_url
    return AliyunSms(_pool(get_settings().wecom_base_url)[0], access_key_id, secret.reveal(), clock.now, base_url)


def _pool(base_url: str) -> tuple[httpx2.AsyncClient, TokenCentre]:
    """Connections belong to an event loop, so pools are kept per loop."""
    pools = _pools.setdefault(asyncio.get_running_loop(), {})
    if base_url not in pools:
        limits = httpx2.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_IDLE_CONNECTIONS)
        http = httpx2.AsyncClient(limits=limits, trust_env=False)
        pools[base_url] = (http, TokenCentre(DatabaseTokenStore(), token_fetcher(http, base_url), clock.now))
    return pools[base_url]
