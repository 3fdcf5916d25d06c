-- The entries that answer a question best, by BM25 over the terms given.
--
-- Two steps that bound each other. The terms are materialised with their rarity first: without that the planner
-- guesses wrongly and the join costs fifty times as much. Candidates come from the rarest terms alone (all of them while
-- they reach at most 1,000 postings, else at most 16 terms and 10,000 postings); the exact score, over all terms, is
-- computed for candidates only.
--
-- No JIT: compiling costs more than the query.
--
-- SECURITY DEFINER because the caller's row-level security would hide the statistics of terms from the planner; the
-- tenant comes from the transaction and is the first condition of every read.
CREATE OR REPLACE FUNCTION search_knowledge(terms text[], weights double precision[], candidates integer)
RETURNS TABLE (
  entry_id uuid,
  score double precision,
  words double precision,
  bigrams double precision,
  concepts double precision,
  answers double precision
)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public SET jit = off
AS $$
#variable_conflict use_column
DECLARE
  tenant uuid := nullif(current_setting('huitouke.tenant_id', true), '')::uuid;
  indexed double precision;
BEGIN
  SELECT s.amount INTO indexed FROM knowledge_statistics s WHERE s.tenant_id = tenant AND s.kind = '*';
  IF indexed IS NULL OR indexed < 1 THEN
    RETURN;
  END IF;
  RETURN QUERY
  WITH asked AS MATERIALIZED (
    SELECT t.term, left(t.term, 1) AS kind, t.entries,
           a.weight * ln(1 + (indexed - t.entries + 0.5) / (t.entries + 0.5)) AS weight,
           greatest(s.amount / indexed, 0.000001) AS average
    FROM unnest(terms, weights) AS a(term, weight)
    JOIN knowledge_terms t ON t.tenant_id = tenant AND t.term = a.term
    JOIN knowledge_statistics s ON s.tenant_id = tenant AND s.kind = left(t.term, 1)
  ),
  ordered AS MATERIALIZED (
    SELECT q.term, q.weight, q.average, row_number() OVER rarity AS place, sum(q.entries) OVER rarity AS reach
    FROM asked q
    WINDOW rarity AS (ORDER BY q.entries, q.term)
  ),
  rarest AS MATERIALIZED (
    SELECT o.term, o.weight, o.average FROM ordered o
    WHERE o.place = 1 OR o.reach <= 1000 OR (o.place <= 16 AND o.reach <= 10000)
  ),
  candidate AS MATERIALIZED (
    SELECT p.entry_id AS id,
           sum(r.weight * p.frequency * 2.2 / (p.frequency + 1.2 * (0.25 + 0.75 * p.length / r.average))) AS partial
    FROM rarest r
    CROSS JOIN LATERAL (
      SELECT k.entry_id, k.frequency, k.length FROM knowledge_postings k
      WHERE k.tenant_id = tenant AND k.term = r.term OFFSET 0
    ) p
    GROUP BY p.entry_id
    ORDER BY partial DESC, p.entry_id
    LIMIT candidates
  ),
  exact AS MATERIALIZED (
    SELECT c.id, q.kind,
           sum(q.weight * p.frequency * 2.2 / (p.frequency + 1.2 * (0.25 + 0.75 * p.length / q.average))) AS part
    FROM candidate c
    CROSS JOIN LATERAL (
      SELECT k.term, k.frequency, k.length FROM knowledge_postings k
      WHERE k.tenant_id = tenant AND k.entry_id = c.id OFFSET 0
    ) p
    JOIN asked q ON q.term = p.term
    GROUP BY c.id, q.kind
  )
  SELECT e.id, sum(e.part),
         coalesce(sum(e.part) FILTER (WHERE e.kind = 'w'), 0),
         coalesce(sum(e.part) FILTER (WHERE e.kind = 'b'), 0),
         coalesce(sum(e.part) FILTER (WHERE e.kind = 'c'), 0),
         coalesce(sum(e.part) FILTER (WHERE e.kind IN ('a', 'd')), 0)
  FROM exact e
  GROUP BY e.id
  ORDER BY sum(e.part) DESC, e.id;
END
$$
