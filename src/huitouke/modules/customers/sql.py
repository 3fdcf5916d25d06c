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

_CONCERNED: Final = """
WITH asked AS (
    SELECT * FROM unnest($2::bigint[], $3::uuid[], $4::text[], $5::uuid[]) AS a (n, customer_id, phone, message_id)
), people AS (
    SELECT n, customer_id FROM asked WHERE customer_id IS NOT NULL
     UNION
    SELECT a.n, i.customer_id
      FROM asked a
      JOIN customer_identities i ON i.tenant_id = $1 AND i.kind = 'phone' AND i.issuer = 'e164' AND i.value = a.phone
), numbers AS (
    SELECT n, phone FROM asked WHERE phone IS NOT NULL
     UNION
    SELECT p.n, i.value
      FROM people p
      JOIN customer_identities i ON i.tenant_id = $1 AND i.customer_id = p.customer_id AND i.kind = 'phone'
)
"""
"""Whom recipients are: a number stands for the customer who has it, a customer for all numbers of theirs."""

LOCK_CONCERNED: Final = f"""{_CONCERNED}
SELECT c.id FROM customers c
 WHERE c.tenant_id = $1 AND c.id IN (SELECT customer_id FROM people)
 ORDER BY c.id
   FOR NO KEY UPDATE
"""  # noqa: S608 - a part above
"""Of two offers to one person at once, each sees what the other left; and whoever refuses waits, or is waited for."""

LOCK_NUMBERS: Final = """
SELECT pg_advisory_xact_lock(hashtextextended($1::text || n.phone, 0))
  FROM (SELECT phone FROM unnest($2::text[]) AS w (phone) ORDER BY phone) n
"""
"""The same for numbers that may be nobody's."""

MARKETING_STANDING: Final = f"""{_CONCERNED}
SELECT a.n,
       coalesce((SELECT min(p.customer_id::text) FROM people p WHERE p.n = a.n), a.phone) AS person,
       EXISTS (SELECT FROM people p
                 JOIN marketing_refusals r ON r.tenant_id = $1 AND r.customer_id = p.customer_id
                WHERE p.n = a.n AND r.ended_at IS NULL AND r.channel IN ('all', $6))
       OR EXISTS (SELECT FROM numbers m
                    JOIN marketing_refusals r ON r.tenant_id = $1 AND r.phone = m.phone
                   WHERE m.n = a.n AND r.ended_at IS NULL AND r.channel IN ('all', $6)) AS refused,
       EXISTS (SELECT FROM marketing_messages s
                WHERE s.tenant_id = $1 AND s.message_id = a.message_id) AS noted,
       (SELECT count(*) FROM (
               SELECT s.message_id FROM people p
                 JOIN marketing_messages s ON s.tenant_id = $1 AND s.customer_id = p.customer_id AND s.left_at > $7
                WHERE p.n = a.n
                UNION
               SELECT s.message_id FROM numbers m
                 JOIN marketing_messages s ON s.tenant_id = $1 AND s.phone = m.phone AND s.left_at > $7
                WHERE m.n = a.n) AS had) AS had
  FROM asked a
"""  # noqa: S608 - a part above
"""Of each recipient: whether they refused offers in this channel, and how many they had since $7 in all channels."""

NOTE_MARKETING: Final = f"""{_CONCERNED}
, gone AS (
    DELETE FROM marketing_messages s USING people p
     WHERE s.tenant_id = $1 AND s.customer_id = p.customer_id AND s.left_at <= $8
), gone_of_nobodys AS (
    DELETE FROM marketing_messages s USING numbers m
     WHERE s.tenant_id = $1 AND s.phone = m.phone AND s.customer_id IS NULL AND s.left_at <= $8
)
INSERT INTO marketing_messages (tenant_id, message_id, customer_id, phone, channel, left_at)
SELECT $1, a.message_id, (SELECT p.customer_id FROM people p WHERE p.n = a.n ORDER BY p.customer_id LIMIT 1), a.phone,
       $6, $7
  FROM asked a
    ON CONFLICT DO NOTHING
"""  # noqa: S608 - a part above
"""What left, of which older rows of the same people count no more."""

OPEN_REFUSALS: Final = """
INSERT INTO marketing_refusals (tenant_id, id, customer_id, phone, channel, source, note, refused_at, staff_id)
SELECT $1, r.id, r.customer_id, r.phone, r.channel, r.source, r.note, $8, $9
  FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[])
    AS r (id, customer_id, phone, channel, source, note)
    ON CONFLICT DO NOTHING
RETURNING id
"""
"""One that is open already, from the same source, stays as it is."""

LOCK_CUSTOMERS: Final = """
SELECT id FROM customers WHERE tenant_id = $1 AND id = ANY($2::uuid[]) ORDER BY id FOR NO KEY UPDATE
"""

WHO_HAS_NUMBER: Final = """
SELECT customer_id FROM customer_identities WHERE tenant_id = $1 AND kind = 'phone' AND issuer = $2 AND value = $3
"""
