-- Takes entries ($2) of a tenant ($1) out of the index, with their part in the counts. Needs lock_index.
WITH removed AS (
  DELETE FROM knowledge_postings WHERE tenant_id = $1 AND entry_id = ANY($2::uuid[])
  RETURNING term, entry_id, length
),
untold AS (
  DELETE FROM knowledge_told WHERE tenant_id = $1 AND entry_id = ANY($2::uuid[])
),
counts AS MATERIALIZED (SELECT term, count(*) AS entries FROM removed GROUP BY term),
last_ones AS (
  DELETE FROM knowledge_terms t USING counts c
  WHERE t.tenant_id = $1 AND t.term = c.term AND t.entries <= c.entries
),
fewer AS (
  UPDATE knowledge_terms t SET entries = t.entries - c.entries FROM counts c
  WHERE t.tenant_id = $1 AND t.term = c.term AND t.entries > c.entries
),
amounts AS (
  SELECT d.kind, sum(d.length) AS amount
  FROM (SELECT DISTINCT entry_id, left(term, 1) AS kind, length FROM removed) d GROUP BY d.kind
  UNION ALL
  SELECT '*', count(DISTINCT entry_id) FROM removed
)
UPDATE knowledge_statistics s SET amount = s.amount - a.amount FROM amounts a
WHERE s.tenant_id = $1 AND s.kind = a.kind
