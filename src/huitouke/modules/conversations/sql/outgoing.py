"""Statements that deliver messages of any number of conversations at once.

Conversations are locked first, in the order of their ids, as everywhere: `LOCK` stands before all others.
"""

from typing import Final

LOCK: Final = """
SELECT c.id, c.customer_id, c.customer_address, c.state, c.handler, c.session_state, c.seq, c.last_customer_seq,
       c.window_left, c.window_expires_at, c.assistant_paused_until,
       a.id AS account_id, a.kind, a.external_id, a.wecom_app_id, a.name AS account_name, a.state AS account_state,
       a.assistant_enabled
  FROM conversations c
  JOIN channel_accounts a ON a.tenant_id = c.tenant_id AND a.id = c.channel_account_id
 WHERE c.tenant_id = $1 AND c.id = ANY($2::uuid[])
 ORDER BY c.id
   FOR UPDATE OF c
"""

NEXT: Final = """
SELECT n.*
  FROM unnest($2::uuid[]) AS c (id)
 CROSS JOIN LATERAL (
       SELECT o.id, o.conversation_id, o.msgid, o.attempts, o.next_attempt_at, o.event_code, o.expires_at, o.ai_label,
              o.purpose,
              m.state AS message_state, m.msgtype, m.text, m.content, m.file_id
         FROM outbound_messages o
         JOIN messages m ON m.tenant_id = o.tenant_id AND m.id = o.id
        WHERE o.tenant_id = $1 AND o.conversation_id = c.id AND o.state IN ('queued', 'sending')
        ORDER BY o.event_code IS NULL, o.seq
        LIMIT 1) n
"""
"""What answers an event goes before the rest: its code is soon over."""

BEGIN: Final = """
WITH r AS (
    SELECT * FROM unnest($2::uuid[], $3::uuid[], $4::bigint[]) AS r (id, conversation_id, seq)
), delivery AS (
    UPDATE outbound_messages o SET state = 'sending', attempts = o.attempts + 1
      FROM r
     WHERE o.tenant_id = $1 AND o.id = r.id
), message AS (
    UPDATE messages m SET state = 'sending', changed_seq = r.seq
      FROM r
     WHERE m.tenant_id = $1 AND m.id = r.id AND m.state <> 'sending'
)
UPDATE conversations c SET seq = r.seq
  FROM r
 WHERE c.tenant_id = $1 AND c.id = r.conversation_id AND c.seq <> r.seq
"""

ON_THEIR_WAY: Final = """
SELECT o.id, o.event_code, m.seq, m.msgtype, m.sender_kind, m.ai,
       EXISTS (SELECT FROM outbound_messages n
                WHERE n.tenant_id = $1 AND n.conversation_id = o.conversation_id AND n.id <> o.id
                  AND n.state IN ('queued', 'sending')) AS more
  FROM outbound_messages o
  JOIN messages m ON m.tenant_id = o.tenant_id AND m.id = o.id
 WHERE o.tenant_id = $1 AND o.id = ANY($2::uuid[]) AND o.state = 'sending'
"""

ACCEPT: Final = """
WITH r AS (
    SELECT *
      FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::text[], $6::bigint[], $7::smallint[])
        AS r (id, conversation_id, account_id, msgid, seq, session_state)
), delivery AS (
    UPDATE outbound_messages o SET state = 'sent', accepted_at = $8, error_code = NULL
      FROM r
     WHERE o.tenant_id = $1 AND o.id = r.id
), message AS (
    UPDATE messages m
       SET state = 'sent', changed_seq = r.seq - 1, sent_at = $8, external_msgid = r.msgid, failure_code = NULL
      FROM r
     WHERE m.tenant_id = $1 AND m.id = r.id
), receipt AS (
    INSERT INTO message_receipts (tenant_id, channel_account_id, external_msgid, message_id)
    SELECT $1, r.account_id, r.msgid, r.id FROM r
        ON CONFLICT DO NOTHING
)
UPDATE conversations c SET seq = r.seq, state_seq = r.seq, changed_at = $8, session_state = r.session_state
  FROM r
 WHERE c.tenant_id = $1 AND c.id = r.conversation_id
"""
"""The channel's id goes on file, so that a later report of failure finds its message."""
