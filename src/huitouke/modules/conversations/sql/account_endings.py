"""Statements that end an account."""

from typing import Final

CLOSE_CONVERSATIONS: Final = """
WITH open AS (
    SELECT id, handover_id
      FROM conversations
     WHERE tenant_id = $1 AND channel_account_id = $2 AND state = 'open'
     ORDER BY id
       FOR UPDATE
)
UPDATE conversations c
   SET state = 'closed', handler = 'assistant', staff_id = NULL, servicer_userid = NULL, session_state = $4,
       closed_at = $3, unread = 0, handover_id = NULL, handover_to = NULL, handover_servicer = NULL,
       handover_reason = NULL, handover_summary = NULL, handover_problem = NULL, waiting_since = NULL,
       seq = c.seq + 2, state_seq = c.seq + 2, changed_at = $3
  FROM open
 WHERE c.tenant_id = $1 AND c.id = open.id
RETURNING c.id, c.customer_id, c.seq, open.handover_id
"""
"""Two numbers each: the line that says why, and the conversation's own change. Locked in the order of their ids."""
