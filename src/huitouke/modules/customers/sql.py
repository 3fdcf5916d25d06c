"""Hand-written statements of the customers. `$1` is the tenant in each."""

from typing import Final

FIND_IDENTITIES: Final = """
SELECT value, customer_id
  FROM customer_identities
 WHERE tenant_id = $1 AND kind = $2 AND issuer = $3 AND value = ANY($4::text[])
"""
"""Index (tenant_id, kind, issuer, value); at most 1,000 values."""

ADD_CUSTOMERS: Final = """
WITH wanted AS (
    SELECT * FROM unnest($4::text[], $5::uuid[], $6::uuid[]) AS w (value, customer_id, identity_id)
), people AS (
    INSERT INTO customers (tenant_id, id, name, gender, created_at, updated_at, version)
    SELECT $1, customer_id, '', 'unknown', $7, $7, 1 FROM wanted
)
INSERT INTO customer_identities (tenant_id, id, customer_id, kind, issuer, value, created_at)
SELECT $1, identity_id, customer_id, $2, $3, value, $7 FROM wanted
"""
"""Both rows of each new customer in one round trip; called under a lock on (kind, issuer), so nobody adds one twice."""

LOCK_ISSUER: Final = "SELECT pg_advisory_xact_lock(hashtextextended($1::text || $2 || $3, 0))"
"""Only taken when something is missing: two accounts of one corp may meet the same new customer at once."""

UPDATE_PROFILES: Final = """
UPDATE customers c
   SET name = CASE WHEN p.name <> '' THEN p.name ELSE c.name END,
       avatar_url = coalesce(p.avatar_url, c.avatar_url),
       gender = CASE WHEN p.gender <> 'unknown' THEN p.gender ELSE c.gender END,
       profile_at = $6,
       updated_at = $6,
       version = c.version + 1
  FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[]) AS p (id, name, avatar_url, gender)
 WHERE c.tenant_id = $1 AND c.id = p.id
"""

SEEN: Final = """
UPDATE customers c
   SET last_seen_at = s.seen_at
  FROM unnest($2::uuid[], $3::timestamptz[]) AS s (id, seen_at)
 WHERE c.tenant_id = $1 AND c.id = s.id AND (c.last_seen_at IS NULL OR c.last_seen_at < s.seen_at)
"""

FOLLOWS: Final = """
SELECT EXISTS (SELECT FROM customer_followers WHERE tenant_id = $1 AND customer_id = $2 AND staff_id = $3)
"""

IS_FOLLOWED: Final = "UPDATE customers SET followed = true WHERE tenant_id = $1 AND id = $2"
"""Takes the customer's row, so that nobody unfollows meanwhile and takes the mark away."""

FOLLOW: Final = """
INSERT INTO customer_followers (tenant_id, customer_id, staff_id, since) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING
"""

UNFOLLOW: Final = """
DELETE FROM customer_followers WHERE tenant_id = $1 AND customer_id = $2 AND staff_id = $3 RETURNING staff_id
"""

STILL_FOLLOWED: Final = """
UPDATE customers c
   SET followed = EXISTS (SELECT FROM customer_followers f WHERE f.tenant_id = $1 AND f.customer_id = c.id)
 WHERE c.tenant_id = $1 AND c.id = $2
"""
