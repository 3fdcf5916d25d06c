"""Merchants with a WeCom app each, and the requests with which WeCom would call them, encrypted beforehand."""

import json
import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from huitouke.kernel.callbacks import service as callbacks
from huitouke.kernel.context import job_context
from huitouke.kernel.database import Database, DatabaseUrls, configure, platform_transaction, transaction
from huitouke.kernel.keys import Secret
from huitouke.kernel.settings import get_settings
from huitouke.kernel.tenancy import create_tenant
from huitouke.modules.organization import service as organization
from wechat_sandbox import crypto

TIMESTAMP: Final = 1_790_000_000
CHUNK: Final = 5_000


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One app's address and secrets, in plain."""

    tenant_id: str
    callback_id: str
    token: str
    aes_key: str
    corp_id: str
    open_kfid: str


async def make_endpoints(urls: DatabaseUrls, folder: Path, merchants: int) -> list[Endpoint]:
    """Founds merchants with an app each, in the installation whose key ring lies in `folder`."""
    os.environ["HUITOUKE_DATA_DIR"] = str(folder)
    get_settings.cache_clear()
    database = Database(urls)
    configure(database)
    try:
        return [await _make_endpoint(number) for number in range(merchants)]
    finally:
        configure(None)
        await database.close()


async def _make_endpoint(number: int) -> Endpoint:
    async with platform_transaction() as session:
        tenant_id: UUID = (await create_tenant(session, f"小店 {number}")).id
    async with transaction(job_context(tenant_id)) as ctx:
        corp_id = f"ww{number:016d}"
        new = organization.NewWecomApp("客服", corp_id, "1000002", Secret("s" * 43))
        app = await organization.create_wecom_app(ctx, new)
        endpoint = await callbacks.endpoint_of(ctx, app.id)
    return Endpoint(
        str(tenant_id), endpoint.callback_id, endpoint.token.reveal(), endpoint.aes_key.reveal(), corp_id,
        f"wk{number:030d}",
    )  # fmt: skip


def write_endpoints(endpoints: Sequence[Endpoint], file: Path) -> None:
    """For a peer that reads its keys from a file."""
    file.write_text(json.dumps([asdict(endpoint) for endpoint in endpoints]))


def make_requests(endpoints: Sequence[Endpoint], count: int) -> list[bytes]:
    """`count` different requests, the merchants in turns, as they go over the wire. Takes about 20 µs each and core."""
    chunks = [(endpoints, start, min(CHUNK, count - start)) for start in range(0, count, CHUNK)]
    with ProcessPoolExecutor() as pool:
        return [request for chunk in pool.map(_make_chunk, chunks) for request in chunk]


def _make_chunk(chunk: tuple[Sequence[Endpoint], int, int]) -> list[bytes]:
    endpoints, start, count = chunk
    return [_request(endpoints[number % len(endpoints)], number) for number in range(start, start + count)]


def _request(endpoint: Endpoint, number: int) -> bytes:
    """A notice that a customer wrote (path/94670), with a token of its own."""
    timestamp, nonce = str(TIMESTAMP + number // 1000), str(1_000_000_000 + number)
    plain = (
        f"<xml><ToUserName><![CDATA[{endpoint.corp_id}]]></ToUserName><CreateTime>{timestamp}</CreateTime>"
        "<MsgType><![CDATA[event]]></MsgType><Event><![CDATA[kf_msg_or_event]]></Event>"
        f"<Token><![CDATA[ENCApHxnGDNAVNY4AaSJKj4Tb5mwsEMzxhFmHVGcra996NR{number:012d}]]></Token>"
        f"<OpenKfId><![CDATA[{endpoint.open_kfid}]]></OpenKfId></xml>"
    ).encode()
    encrypted = crypto.encrypt(plain, endpoint.aes_key, endpoint.corp_id)
    signed = crypto.signature(endpoint.token, timestamp, nonce, encrypted)
    body = (
        f"<xml><ToUserName><![CDATA[{endpoint.corp_id}]]></ToUserName><AgentID><![CDATA[1000002]]></AgentID>"
        f"<Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>"
    ).encode()
    path = f"/callbacks/wecom/{endpoint.callback_id}?msg_signature={signed}&timestamp={timestamp}&nonce={nonce}"
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/xml\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body
