-- The gate of signing in. A member of the tenant's staff gets in by the membership; a platform operator by a visit that
-- the tenant granted, that is not over, that belongs to the same person and tenant as the session, while they are one.
-- Gives one row or none, never a list. Runs before the tenant is known, hence as the owner; reads the kernel's platform
-- tables only.
CREATE OR REPLACE FUNCTION resolve_session(digest bytea, at timestamptz)
RETURNS TABLE (
    session_id uuid,
    user_id uuid,
    tenant_id uuid,
    expires_at timestamptz,
    last_seen_at timestamptz,
    sign_in_name text,
    display_name text,
    locale text,
    tenant_name text,
    tenant_state text,
    time_zone text,
    visit_id uuid,
    visit_until timestamptz
)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT s.id, s.user_id, s.tenant_id, s.expires_at, s.last_seen_at, u.sign_in_name, u.display_name, u.locale,
           t.name, t.state, t.time_zone, v.id, v.until
    FROM public.sessions AS s
    JOIN public.users AS u ON u.id = s.user_id AND u.state = 'active'
    JOIN public.tenants AS t ON t.id = s.tenant_id
    LEFT JOIN public.memberships AS m
           ON m.user_id = s.user_id AND m.tenant_id = s.tenant_id AND m.state = 'active' AND s.visit_id IS NULL
    LEFT JOIN public.tenant_visits AS v
           ON v.id = s.visit_id AND v.user_id = s.user_id AND v.tenant_id = s.tenant_id AND v.state = 'granted'
          AND v.until > resolve_session.at
          AND EXISTS (SELECT FROM public.platform_operators AS o WHERE o.user_id = s.user_id)
    WHERE s.digest = resolve_session.digest AND s.expires_at > resolve_session.at
      AND (m.user_id IS NOT NULL OR v.id IS NOT NULL)
$$
