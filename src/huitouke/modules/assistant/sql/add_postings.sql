-- Puts postings into a tenant's index ($1): entry ids ($2), terms ($3), frequencies ($4), field lengths ($5), in
-- parallel arrays. All postings of an entry come in one call. Needs lock_index.
WITH incoming AS MATERIALIZED (
  SELECT * FROM unnest($2::uuid[], $3::text[], $4::integer[], $5::integer[]) AS p(entry_id, term, frequency, length)
),
stored AS (
  INSERT INTO knowledge_postings (tenant_id, entry_id, term, frequency, length)
  SELECT $1, entry_id, term, frequency, length FROM incoming
),
counted AS (
  INSERT INTO knowledge_terms (tenant_id, term, entries)
  SELECT $1, term, count(*) FROM incoming GROUP BY term
  ON CONFLICT (tenant_id, term) DO UPDATE SET entries = knowledge_terms.entries + excluded.entries
)
INSERT INTO knowledge_statistics (tenant_id, kind, amount)
SELECT $1, d.kind, sum(d.length)
FROM (SELECT DISTINCT entry_id, left(term, 1) AS kind, length FROM incoming) d GROUP BY d.kind
UNION ALL
SELECT $1, '*', count(DISTINCT entry_id) FROM incoming
ON CONFLICT (tenant_id, kind) DO UPDATE SET amount = knowledge_statistics.amount + excluded.amount
