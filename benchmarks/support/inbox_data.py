"""A merchant with a full inbox: 100,000 customers with a conversation each, and one of them with 10,000 messages.

All rows are made by PostgreSQL itself from numbers, so that the data are the same in every run; times are relative to
the moment they were made.
"""

from dataclasses import dataclass
from typing import Final

import asyncpg

from huitouke.kernel.database import Database, DatabaseUrls, configure
from huitouke.kernel.ids import new_id
from huitouke.kernel.keys import Secret
from huitouke.modules.organization import service as organization

CONVERSATIONS: Final = 100_000
LONG_THREAD: Final = 10_000
"""Messages of the newest conversation."""

OWNER: Final = "inbox-owner"
PASSWORD: Final = "a long enough pass phrase"

FUNCTIONS: Final = """
CREATE FUNCTION pg_temp.id_at(moment timestamptz, salt text) RETURNS uuid LANGUAGE sql AS $$
  SELECT (lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0') || '7' || substr(md5(salt), 1, 3)
          || '8' || substr(md5(salt || '-'), 1, 15))::uuid
$$;
CREATE FUNCTION pg_temp.moment(n bigint) RETURNS timestamptz LANGUAGE sql AS $$
  SELECT now() - make_interval(secs => n * 15)
$$
"""
"""One conversation each 15 s, so that 100,000 of them reach back 17 days: within partitions that exist."""

ROWS: Final = (
    """
    INSERT INTO wecom_apps (tenant_id, id, corp_id, agent_id, name, secret_sealed, state, created_at)
    VALUES ($1, $2, 'ww1', '1000002', '客服', '', 'verified', now())
    """,
    """
    INSERT INTO channel_accounts (tenant_id, id, kind, name, external_id, wecom_app_id, state, handover_to, greeting,
                                  assistant_enabled, created_at)
    VALUES ($1, $2, 'wecom_kf', '小店客服', 'wk1', $2, 'active', 'console', '', true, now())
    """,
    """
    INSERT INTO customers (tenant_id, id, name, gender, remark, last_seen_at, created_at, updated_at, version)
    SELECT $1, pg_temp.id_at(pg_temp.moment(n), 'customer' || n),
           (ARRAY['晓雯', '阿杰', '林小姐', '周老板', '陈同学'])[1 + n % 5] || n,
           'unknown', CASE WHEN n % 50 = 0 THEN '老客户' || n END, pg_temp.moment(n), pg_temp.moment(n), now(), 1
      FROM generate_series(1, $2::bigint) AS n
    """,
    """
    INSERT INTO conversations (tenant_id, id, channel_account_id, customer_id, customer_address, state, handler,
                               staff_id, session_state, seq, state_seq, last_message_at, last_preview, last_msgtype,
                               last_sender, last_customer_seq, unread, window_left, window_expires_at, waiting_since,
                               changed_at, created_at)
    SELECT $1, pg_temp.id_at(pg_temp.moment(n), 'conversation' || n), $2,
           pg_temp.id_at(pg_temp.moment(n), 'customer' || n), 'wm' || n,
           CASE WHEN n % 10 < 7 THEN 'open' ELSE 'closed' END,
           CASE WHEN n % 10 = 3 OR n = 1 THEN 'agent' ELSE 'assistant' END,
           CASE WHEN n % 20 = 3 OR n = 1 THEN $4::uuid END, 1,
           CASE WHEN n = 1 THEN $5::bigint ELSE 4 END, 1, pg_temp.moment(n),
           (ARRAY['有大一点的尺码吗', '多久能发货', '可以退换货吗', '好的，谢谢'])[1 + n % 4] || n, 'text',
           (ARRAY['customer', 'assistant'])[1 + n % 2], 1, CASE WHEN n % 9 = 0 THEN 2 ELSE 0 END, 4,
           now() + interval '30 hours', CASE WHEN n % 20 = 13 THEN pg_temp.moment(n) END, pg_temp.moment(n),
           pg_temp.moment(n)
      FROM generate_series(1, $3::bigint) AS n
    """,
    """
    INSERT INTO messages (tenant_id, id, conversation_id, seq, changed_seq, direction, sender_kind, msgtype, text,
                          content, ai, state, sent_at, created_at)
    SELECT $1, pg_temp.id_at(pg_temp.moment(n), 'message' || n || ':' || m),
           pg_temp.id_at(pg_temp.moment(n), 'conversation' || n), m, m,
           CASE WHEN m % 2 = 1 THEN 'in' ELSE 'out' END, CASE WHEN m % 2 = 1 THEN 'customer' ELSE 'assistant' END,
           'text', CASE WHEN m % 2 = 1 THEN '有大一点的尺码吗？我身高一米八，平时穿 XL ' || m
                        ELSE '有的，这款卫衣最大到 3XL，按平时的尺码选就可以。'
                             || repeat('现货 48 小时内发出。', (m % 4)::int) || m END,
           '{}', m % 2 = 0, CASE WHEN m % 2 = 1 THEN 'received' ELSE 'sent' END,
           pg_temp.moment(n) - make_interval(secs => (CASE WHEN n = 1 THEN $3::bigint ELSE 4 END - m) * 9),
           pg_temp.moment(n)
      FROM generate_series(1, $2::bigint) AS n, generate_series(1, CASE WHEN n = 1 THEN $3::bigint ELSE 4 END) AS m
    """,
)


@dataclass(frozen=True, slots=True)
class FullInbox:
    """How to sign in, and the conversation with the long thread."""

    sign_in_name: str = OWNER
    password: str = PASSWORD


async def fill(urls: DatabaseUrls, conversations: int = CONVERSATIONS, long_thread: int = LONG_THREAD) -> None:
    """Founds the merchant and makes its rows: about a minute for 100,000 conversations and 400,000 messages."""
    database = Database(urls)
    configure(database)
    try:
        founded = await organization.found_tenant("拾光衣橱", OWNER, Secret(PASSWORD), owner_name="林店长")
    finally:
        configure(None)
        await database.close()
    assert urls.owner is not None
    connection = await asyncpg.connect(urls.owner)
    tenant, account = founded.tenant_id, new_id()
    try:
        async with connection.transaction():  # now() stays the same, and with it the ids
            await connection.execute(FUNCTIONS)
            app, channel, customers, rows, messages = ROWS
            await connection.execute(app, tenant, account)
            await connection.execute(channel, tenant, account)
            await connection.execute(customers, tenant, conversations)
            await connection.execute(rows, tenant, account, conversations, founded.staff_id, long_thread)
            await connection.execute(messages, tenant, conversations, long_thread)
    finally:
        await connection.close()
