-- The best entries for a question with all that the check needs, in one round trip: their texts, and how many entries
-- have each of the terms that the check weighs (`told`, kept by the index for each entry).
--
-- The row without entry is the question's own: the counts of its terms (`asked`), and as `*` the number of entries.
-- `told` is null for an entry that a release before put into the index: its terms are counted by `knowledge_counts`.
--
-- Sketch: `search_knowledge`, `best` entries by key, ten look-ups of terms for each. One plan for all merchants, as there.
-- SECURITY DEFINER as `search_knowledge`; the tenant comes from the transaction and is the first condition of every read.
CREATE OR REPLACE FUNCTION find_answers(
  terms text[], weights double precision[], candidates integer, best integer, asked text[]
)
RETURNS TABLE (
  entry_id uuid,
  score double precision,
  words double precision,
  bigrams double precision,
  concepts double precision,
  answers double precision,
  question text,
  variants jsonb,
  answer text,
  told text[],
  counts bigint[]
)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public SET jit = off
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
  tenant uuid := nullif(current_setting('huitouke.tenant_id', true), '')::uuid;
BEGIN
  RETURN QUERY
  SELECT f.*, e.question, e.variants, e.answer, k.told, k.counts
    FROM (SELECT * FROM search_knowledge(terms, weights, candidates) LIMIT best) f
   CROSS JOIN LATERAL (
         SELECT i.question, i.variants, i.answer FROM knowledge_entries i
          WHERE i.tenant_id = tenant AND i.id = f.entry_id AND i.deleted_at IS NULL AND i.state = 'on' OFFSET 0) e
    LEFT JOIN LATERAL (
         SELECT array_agg(x.term) AS told, array_agg(coalesce(t.entries, 0)::bigint) AS counts
           FROM knowledge_told i
          CROSS JOIN LATERAL unnest(i.terms) AS x(term)
           LEFT JOIN LATERAL (
                SELECT s.entries FROM knowledge_terms s WHERE s.tenant_id = tenant AND s.term = x.term OFFSET 0) t ON true
          WHERE i.tenant_id = tenant AND i.entry_id = f.entry_id
         HAVING count(*) > 0 OFFSET 0) k ON true;
  RETURN QUERY
  SELECT NULL::uuid, 0::double precision, 0::double precision, 0::double precision, 0::double precision,
         0::double precision, NULL::text, NULL::jsonb, NULL::text, array_agg(c.term), array_agg(c.entries)
    FROM knowledge_counts(asked) c;
END
$$
