"""Statements by which the assistant reads any number of conversations at once, and answers them.

`QUEUE` comes after `outgoing.LOCK`.
"""

from typing import Final

LATEST: Final = """
SELECT n.*
  FROM unnest($2::uuid[]) AS c (id)
 CROSS JOIN LATERAL (
       SELECT m.conversation_id, m.sender_kind, m.text, m.seq, m.msgtype, m.sent_at
         FROM messages m
        WHERE m.tenant_id = $1 AND m.conversation_id = c.id AND m.sender_kind <> 'system' AND m.recalled_at IS NULL
          AND m.state <> 'failed'
        ORDER BY m.seq DESC
        LIMIT $3) n
 ORDER BY n.seq
"""
"""The last words of each conversation, oldest first; lines about the conversation itself are left out."""

SEEN_BY_ASSISTANT: Final = """
SELECT c.id, c.customer_id, c.channel_account_id, c.state, c.handler, c.assistant_paused_until, c.last_customer_seq,
       c.window_left, c.window_expires_at, a.kind, a.assistant_enabled
  FROM conversations c
  JOIN channel_accounts a ON a.tenant_id = c.tenant_id AND a.id = c.channel_account_id
 WHERE c.tenant_id = $1 AND c.id = ANY($2::uuid[])
"""

ANSWERABLE: Final = """
SELECT c.id
  FROM conversations c
  JOIN channel_accounts a ON a.tenant_id = c.tenant_id AND a.id = c.channel_account_id
 WHERE c.tenant_id = $1 AND c.id = ANY($2::uuid[]) AND c.state = 'open' AND c.handler = 'assistant'
   AND a.assistant_enabled AND (c.assistant_paused_until IS NULL OR c.assistant_paused_until <= $3)
"""

QUEUE: Final = """
WITH r AS (
    SELECT *
      FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::bigint[], $6::text[], $7::text[], $8::text[], $9::text[])
        AS r (id, conversation_id, account_id, seq, text, content, ai_label, preview)
), message AS (
    INSERT INTO messages (tenant_id, id, conversation_id, seq, changed_seq, direction, sender_kind, msgtype, text,
                          content, ai, state, sent_at, created_at)
    SELECT $1, r.id, r.conversation_id, r.seq - 1, r.seq - 1, 'out', 'assistant', 'text', r.text,
           r.content::jsonb, true, 'queued', $10, $10
      FROM r
), delivery AS (
    INSERT INTO outbound_messages (tenant_id, id, conversation_id, channel_account_id, seq, state, msgid, attempts,
                                   next_attempt_at, ai_label, counted, purpose)
    SELECT $1, r.id, r.conversation_id, r.account_id, r.seq - 1, 'queued', replace(r.id::text, '-', ''), 0,
           $10, r.ai_label, true, 'service'
      FROM r
)
UPDATE conversations c
   SET seq = r.seq, state_seq = r.seq, changed_at = $10, window_left = c.window_left - 1, unread = 0,
       last_message_at = $10, last_msgtype = 'text', last_sender = 'assistant', last_preview = r.preview
  FROM r
 WHERE c.tenant_id = $1 AND c.id = r.conversation_id
"""
"""Texts of the assistant, one per conversation: the message, its delivery, and its place in the window."""
