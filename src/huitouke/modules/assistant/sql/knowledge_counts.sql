-- In how many entries each of the terms stands, and, as `*`, how many entries there are: what a term tells.
--
-- One plan for all merchants: planning took longer than the look-ups. SECURITY DEFINER as `search_knowledge`; the tenant
-- comes from the transaction and is the first condition of every read.
CREATE OR REPLACE FUNCTION knowledge_counts(terms text[])
RETURNS TABLE (term text, entries bigint)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public SET plan_cache_mode = force_generic_plan SET enable_seqscan = off
AS $$
#variable_conflict use_column
DECLARE
  tenant uuid := nullif(current_setting('huitouke.tenant_id', true), '')::uuid;
BEGIN
  RETURN QUERY
  SELECT t.term, t.entries::bigint FROM knowledge_terms t WHERE t.tenant_id = tenant AND t.term = ANY(terms)
   UNION ALL
  SELECT s.kind, s.amount::bigint FROM knowledge_statistics s WHERE s.tenant_id = tenant AND s.kind = '*';
END
$$
