-- The entries that answer a question best, by BM25 over the terms given.
--
-- Two steps that bound each other. The terms that stand in any entry are put into arrays with their rarity first: without
-- that the planner guesses wrongly and the join costs fifty times as much. Candidates come from the rarest terms alone
-- (all of them while they reach at most 1,000 postings, else at most 16 terms and 3,000 postings, and always one); the
-- exact score, over all terms, is computed for candidates only, by one index scan for each.
--
-- Plans: one for all merchants, which saves a millisecond of planning. Without parameters the planner would take the
-- covering index on terms for the exact score, and fifteen times as long; that one is an index-only scan, which is
-- switched off before. The settings of the function end with it.
--
-- Sketch: 20 to 60 look-ups of terms, at most 3,000 postings from the covering index, `candidates` times the terms that
-- the entry shares. Doubles throughout: `numeric` made the arithmetic the largest part. No JIT: compiling costs more
-- than the query.
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
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public SET jit = off
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_indexonlyscan = on
AS $$
#variable_conflict use_column
DECLARE
  tenant uuid := nullif(current_setting('huitouke.tenant_id', true), '')::uuid;
  indexed double precision;
  found text[];
  gains double precision[];
  slopes double precision[];
  reaches double precision[];
  nearest uuid[];
BEGIN
  SELECT s.amount INTO indexed FROM knowledge_statistics s WHERE s.tenant_id = tenant AND s.kind = '*';
  IF indexed IS NULL OR indexed < 1 THEN
    RETURN;
  END IF;
  -- k1 = 1.2, b = 0.75: score = gain · f / (f + 0.3 + slope · length), gain = weight · idf · 2.2, slope = 0.9 / average.
  SELECT array_agg(q.term ORDER BY q.entries, q.term), array_agg(q.gain ORDER BY q.entries, q.term),
         array_agg(q.slope ORDER BY q.entries, q.term), array_agg(q.reach ORDER BY q.entries, q.term)
  INTO found, gains, slopes, reaches
  FROM (
    SELECT t.term, t.entries,
           2.2::double precision * a.weight * ln(1 + (indexed - t.entries + 0.5) / (t.entries + 0.5)) AS gain,
           0.9::double precision / greatest(s.amount / indexed, 0.000001) AS slope,
           sum(t.entries::double precision) OVER (ORDER BY t.entries, t.term) AS reach
    FROM unnest(terms, weights) AS a(term, weight)
    JOIN knowledge_terms t ON t.tenant_id = tenant AND t.term = a.term
    JOIN knowledge_statistics s ON s.tenant_id = tenant AND s.kind = left(t.term, 1)
  ) q;
  IF found IS NULL THEN
    RETURN;
  END IF;
  SELECT array_agg(c.id) INTO nearest
  FROM (
    SELECT p.id, sum(r.gain * p.frequency / (p.frequency + 0.3::double precision + r.slope * p.length)) AS partial
    FROM unnest(found, gains, slopes, reaches) WITH ORDINALITY AS r(term, gain, slope, reach, place)
    CROSS JOIN LATERAL (
      SELECT k.entry_id AS id, k.frequency, k.length FROM knowledge_postings k
      WHERE k.tenant_id = tenant AND k.term = r.term OFFSET 0
    ) p
    WHERE r.place = 1 OR r.reach <= 1000 OR (r.place <= 16 AND r.reach <= 3000)
    GROUP BY p.id
    ORDER BY partial DESC, p.id
    LIMIT candidates
  ) c;
  PERFORM set_config('enable_indexonlyscan', 'off', true);
  RETURN QUERY
  WITH exact AS MATERIALIZED (
    SELECT c.id, left(p.term, 1) AS kind,
           gains[p.place] * p.frequency / (p.frequency + 0.3::double precision + slopes[p.place] * p.length) AS part
    FROM unnest(nearest) AS c(id)
    CROSS JOIN LATERAL (
      SELECT k.term, k.frequency, k.length, array_position(found, k.term) AS place FROM knowledge_postings k
      WHERE k.tenant_id = tenant AND k.entry_id = c.id AND k.term = ANY(found) OFFSET 0
    ) p
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
