-- resolve_link: whose the address of that code is, and what it opens; no row when there is none. One row, never a list.
CREATE FUNCTION resolve_link(p_kind text, p_code text)
RETURNS TABLE (tenant_id uuid, target_id uuid, tenant_state text)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT l.tenant_id, l.target_id, t.state
      FROM public.public_links AS l
      JOIN public.tenants AS t ON t.id = l.tenant_id
     WHERE l.code = p_code AND l.kind = p_kind
     ORDER BY l.created_at
     LIMIT 1
$$
