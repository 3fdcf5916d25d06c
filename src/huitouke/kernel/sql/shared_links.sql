-- resolve_shared_link: the one link of that token's digest while it lives, for its tenant and what it opens; else no row.
CREATE FUNCTION resolve_shared_link(p_kind text, p_digest bytea, p_now timestamptz)
RETURNS TABLE (tenant_id uuid, id uuid, reference text, expires_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public
AS $$
  SELECT l.tenant_id, l.id, l.reference, l.expires_at
    FROM shared_links l
   WHERE l.digest = p_digest AND l.kind = p_kind AND l.expires_at > p_now AND l.revoked_at IS NULL
   LIMIT 1
$$
