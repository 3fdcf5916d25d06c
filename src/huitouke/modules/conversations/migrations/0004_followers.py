"""Whoever has a conversation follows its customer.

Done here and not by a job: while a role may see less than all, there is no moment at which it is not done. Until now
every role sees all, so that nobody loses sight of anything meanwhile.
"""

from alembic import op

from huitouke.kernel.database.ddl import tenant_index

revision = "conversations_0004"
down_revision = "conversations_0003"
branch_labels = None
depends_on = ("customers_0003",)


WAITING = "(CASE WHEN waiting_since IS NULL THEN '9999-01-01 00:00:00+00'::timestamptz ELSE waiting_since END)"


def upgrade() -> None:
    # The order is the one by which `queries.py` sorts. Processes of the release before sort until they are replaced.
    tenant_index("conversations", "state", WAITING, "id", name="ix_conversations_state_waiting_order")
    op.execute("DROP INDEX ix_conversations_state_waiting")
    op.execute(
        "INSERT INTO customer_followers (tenant_id, customer_id, staff_id, since)"
        " SELECT tenant_id, customer_id, staff_id, min(changed_at) FROM conversations"
        " WHERE staff_id IS NOT NULL GROUP BY tenant_id, customer_id, staff_id ON CONFLICT DO NOTHING"
    )
    op.execute(
        "UPDATE customers c SET followed = true FROM customer_followers f"
        " WHERE f.tenant_id = c.tenant_id AND f.customer_id = c.id AND NOT c.followed"
    )
