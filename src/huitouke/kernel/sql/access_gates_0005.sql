-- The gate of signing in, with the time at which the session was last used. Gives one row or none, never a list.
-- Runs before the tenant is known, hence as the owner; reads the kernel's platform tables only.
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
    time_zone text
)
LANGUAGE sql STABLE SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp
AS $$
    SELECT s.id, s.user_id, s.tenant_id, s.expires_at, s.last_seen_at, u.sign_in_name, u.display_name, u.locale,
           t.name, t.state, t.time_zone
    FROM public.sessions AS s
    JOIN public.users AS u ON u.id = s.user_id AND u.state = 'active'
    JOIN public.memberships AS m ON m.user_id = s.user_id AND m.tenant_id = s.tenant_id AND m.state = 'active'
    JOIN public.tenants AS t ON t.id = s.tenant_id
    WHERE s.digest = resolve_session.digest AND s.expires_at > resolve_session.at
$$
