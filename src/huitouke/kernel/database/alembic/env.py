"""Alembic's environment: runs in the connection that `migrate` has opened as the owner."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, transaction_per_migration=False)
context.run_migrations()
