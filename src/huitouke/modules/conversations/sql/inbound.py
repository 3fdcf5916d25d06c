"""Statements that take in what a channel brings: at most 1,000 items, a dozen statements whatever their number."""

from typing import Final

from huitouke.kernel.database.columns import JSON, Columns, columns_of
from huitouke.modules.conversations.models import ChannelAccount

PULLED_ACCOUNT: Final = f"""
SELECT {columns_of(ChannelAccount)}
  FROM channel_accounts
 WHERE tenant_id = $1 AND external_id = $2 AND kind = ANY($3::text[]) AND state IN ('active', 'failing')
"""  # noqa: S608 - names of the model

LOCK_ACCOUNT: Final = f"""
SELECT {columns_of(ChannelAccount)}
  FROM channel_accounts
 WHERE tenant_id = $1 AND id = $2 AND state <> 'disconnected'
   FOR NO KEY UPDATE
"""  # noqa: S608 - names of the model

SYNCED: Final = """
UPDATE channel_accounts
   SET last_synced_at = $4, sync_cursor = coalesce($3, sync_cursor),
       last_error_code = CASE state WHEN 'failing' THEN NULL ELSE last_error_code END,
       state = CASE state WHEN 'failing' THEN 'active' ELSE state END
 WHERE tenant_id = $1 AND id = $2
"""
"""An account that was pulled is well again. Without a cursor the one it has stays."""

SEEN_BEFORE: Final = """
SELECT external_msgid
  FROM message_receipts
 WHERE tenant_id = $1 AND channel_account_id = $2 AND external_msgid = ANY($3::text[])
"""
"""Primary key; the account's row is locked, so nobody else adds receipts of it meanwhile, except for our own sends."""

NEW_CONVERSATIONS: Final = """
INSERT INTO conversations (
       tenant_id, id, channel_account_id, customer_id, customer_address, state, handler, session_state, seq, state_seq,
       last_message_at, last_preview, last_msgtype, last_sender, last_customer_seq, unread, window_left,
       changed_at, created_at)
SELECT $1, n.id, $2, n.customer_id, n.address, 'closed', 'assistant', $8, 0, 0,
       n.at, '', 'event', 'system', 0, 0, 0, $7, $7
  FROM unnest($3::uuid[], $4::uuid[], $5::text[], $6::timestamptz[]) AS n (id, customer_id, address, at)
    ON CONFLICT (tenant_id, channel_account_id, customer_address) DO NOTHING
"""
"""A conversation begins as one that has not started; the customer's first message opens it."""

LOCK_CONVERSATIONS: Final = """
SELECT id, customer_id, customer_address, state, handler, staff_id, servicer_userid, session_state, seq, state_seq,
       last_message_at, last_preview, last_msgtype, last_sender, last_customer_seq, last_customer_message_at, unread,
       window_left, window_expires_at, handover_id, handover_to, handover_servicer, handover_reason, handover_summary,
       handover_problem, waiting_since, closed_at
  FROM conversations
 WHERE tenant_id = $1 AND channel_account_id = $2 AND customer_address = ANY($3::text[])
 ORDER BY id
   FOR UPDATE
"""

SENT_SINCE: Final = """
SELECT o.conversation_id, o.accepted_at
  FROM unnest($2::uuid[], $3::timestamptz[]) AS c (id, since)
  JOIN outbound_messages o ON o.tenant_id = $1 AND o.conversation_id = c.id
 WHERE o.counted AND (o.state IN ('queued', 'sending', 'unknown') OR o.accepted_at > c.since)
"""
"""What of ours counts against the window that a customer message of `since` opened: sent later, or still to leave."""

FIND_OUTBOUND: Final = """
SELECT r.external_msgid, r.message_id, m.conversation_id, m.sender_kind, m.state, m.recalled_at
  FROM message_receipts r
  JOIN messages m ON m.tenant_id = r.tenant_id AND m.id = r.message_id
 WHERE r.tenant_id = $1 AND r.channel_account_id = $2 AND r.external_msgid = ANY($3::text[])
"""

FAIL_MESSAGES: Final = """
WITH f AS (
    SELECT * FROM unnest($2::uuid[], $3::text[], $4::bigint[]) AS f (id, code, seq)
), delivery AS (
    UPDATE outbound_messages o
       SET state = 'failed', error_code = f.code
      FROM f
     WHERE o.tenant_id = $1 AND o.id = f.id
)
UPDATE messages m
   SET state = 'failed', failure_code = f.code, changed_seq = f.seq
  FROM f
 WHERE m.tenant_id = $1 AND m.id = f.id
"""

RECALL_MESSAGES: Final = """
UPDATE messages m
   SET recalled_at = r.at, changed_seq = r.seq
  FROM unnest($2::uuid[], $3::timestamptz[], $4::bigint[]) AS r (id, at, seq)
 WHERE m.tenant_id = $1 AND m.id = r.id AND m.recalled_at IS NULL
"""

TAKE_EARLY_RECALLS: Final = """
DELETE FROM early_recalls
 WHERE tenant_id = $1 AND channel_account_id = $2 AND external_msgid = ANY($3::text[])
RETURNING external_msgid, recalled_at
"""

KEEP_EARLY_RECALLS: Final = """
WITH kept AS (
    INSERT INTO early_recalls (tenant_id, channel_account_id, external_msgid, recalled_at)
    SELECT $1, $2, r.msgid, r.at FROM unnest($3::text[], $4::timestamptz[]) AS r (msgid, at)
        ON CONFLICT DO NOTHING
)
DELETE FROM early_recalls
 WHERE tenant_id = $1 AND channel_account_id = $2
   AND recalled_at < (SELECT max(at) FROM unnest($4::timestamptz[]) AS r (at)) - interval '7 days'
"""
"""Channels give messages of the last three days: what waits for longer was before our time."""

WITHOUT_PROFILE: Final = """
SELECT id FROM customers WHERE tenant_id = $1 AND id = ANY($2::uuid[]) AND (profile_at IS NULL OR profile_at < $3)
"""

CONVERSATIONS: Final = Columns(
    "conversations",
    (
        ("id", "uuid"),
        ("state", "text"),
        ("handler", "text"),
        ("staff_id", "uuid"),
        ("servicer_userid", "text"),
        ("session_state", "smallint"),
        ("seq", "bigint"),
        ("state_seq", "bigint"),
        ("last_message_at", "timestamptz"),
        ("last_preview", "text"),
        ("last_msgtype", "text"),
        ("last_sender", "text"),
        ("last_customer_seq", "bigint"),
        ("last_customer_message_at", "timestamptz"),
        ("unread", "integer"),
        ("window_left", "smallint"),
        ("window_expires_at", "timestamptz"),
        ("handover_id", "uuid"),
        ("handover_to", "text"),
        ("handover_servicer", "text"),
        ("handover_reason", "text"),
        ("handover_summary", "text"),
        ("handover_problem", "text"),
        ("waiting_since", "timestamptz"),
        ("closed_at", "timestamptz"),
        ("changed_at", "timestamptz"),
    ),
)

MESSAGES: Final = Columns(
    "messages",
    (
        ("id", "uuid"),
        ("conversation_id", "uuid"),
        ("seq", "bigint"),
        ("changed_seq", "bigint"),
        ("direction", "text"),
        ("sender_kind", "text"),
        ("sender_id", "uuid"),
        ("sender_userid", "text"),
        ("msgtype", "text"),
        ("text", "text"),
        ("content", JSON),
        ("file_id", "uuid"),
        ("ai", "boolean"),
        ("state", "text"),
        ("failure_code", "text"),
        ("external_msgid", "text"),
        ("client_id", "text"),
        ("sent_at", "timestamptz"),
        ("created_at", "timestamptz"),
    ),
)

RECEIPTS: Final = Columns(
    "message_receipts",
    (("channel_account_id", "uuid"), ("external_msgid", "text"), ("message_id", "uuid")),
)

OUTBOUND: Final = Columns(
    "outbound_messages",
    (
        ("id", "uuid"),
        ("conversation_id", "uuid"),
        ("channel_account_id", "uuid"),
        ("seq", "bigint"),
        ("state", "text"),
        ("purpose", "text"),
        ("msgid", "text"),
        ("attempts", "integer"),
        ("next_attempt_at", "timestamptz"),
        ("event_code", "text"),
        ("expires_at", "timestamptz"),
        ("ai_label", "text"),
        ("counted", "boolean"),
        ("accepted_at", "timestamptz"),
        ("error_code", "text"),
    ),
)

MEDIA: Final = Columns(
    "media_downloads",
    (
        ("message_id", "uuid"),
        ("conversation_id", "uuid"),
        ("channel_account_id", "uuid"),
        ("media_id", "text"),
        ("msgtype", "text"),
        ("state", "text"),
        ("attempts", "integer"),
        ("next_attempt_at", "timestamptz"),
        ("error_code", "text"),
    ),
)
