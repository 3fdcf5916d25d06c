-- One writer of a tenant's index at a time, until the transaction ends: counts stay right and terms don't deadlock.
SELECT pg_advisory_xact_lock(hashtextextended('knowledge_index:' || $1::uuid::text, 0))
