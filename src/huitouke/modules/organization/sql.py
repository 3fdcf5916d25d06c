"""Hand-written statements of the organization. `$1` is the tenant in each."""

from typing import Final

STAGE_PEOPLE: Final = """
INSERT INTO address_book_people AS known (tenant_id, userid_key, userid, name, departments, leads)
SELECT $1, p.userid_key, p.userid, p.name, p.departments::bigint[], p.leads::bigint[]
  FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
       AS p (userid_key, userid, name, departments, leads)
ON CONFLICT (tenant_id, userid_key) DO UPDATE
   SET userid = EXCLUDED.userid,
       name = coalesce(EXCLUDED.name, known.name),
       departments = coalesce((SELECT array_agg(DISTINCT d ORDER BY d)
                                 FROM unnest(known.departments || EXCLUDED.departments) AS d), '{}'),
       leads = coalesce((SELECT array_agg(DISTINCT d ORDER BY d)
                           FROM unnest(known.leads || EXCLUDED.leads) AS d), '{}')
"""
"""Somebody in several departments is read several times, in part by two credentials: what is known is put together."""

COMPARE: Final = """
SELECT p.userid_key, p.userid, p.name, p.departments, p.leads,
       s.id, s.user_id, s.name AS known_name, s.wecom_userid, s.source, s.state, s.left_because,
       coalesce(d.ids, '{}') AS known_departments, coalesce(d.led, '{}') AS known_leads
  FROM (%s) AS p
  LEFT JOIN LATERAL (
       SELECT id, user_id, name, wecom_userid, source, state, left_because
         FROM staff WHERE tenant_id = $1 AND wecom_key = p.userid_key ORDER BY id LIMIT 1) AS s ON true
  LEFT JOIN LATERAL (
       SELECT array_agg(department_id) AS ids, array_agg(department_id) FILTER (WHERE leads) AS led
         FROM staff_departments WHERE tenant_id = $1 AND staff_id = s.id) AS d ON true
 ORDER BY p.userid_key
"""

COMPARE_STAGED: Final = COMPARE % (
    """
       SELECT userid_key, userid, name, departments, leads FROM address_book_people
        WHERE tenant_id = $1 AND userid_key > $2 ORDER BY userid_key LIMIT $3"""
)
"""A chunk of what was read, beside what is known: two index lookups a person, some 20 ms for 2,000."""

COMPARE_GIVEN: Final = COMPARE % (
    """
       SELECT g.userid_key, g.userid, g.name, g.departments::bigint[] AS departments, g.leads::bigint[] AS leads
         FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
              AS g (userid_key, userid, name, departments, leads)"""
)

ADD_PEOPLE: Final = """
INSERT INTO staff (tenant_id, id, name, wecom_userid, role, state, notify_app_messages, source, created_at)
SELECT $1, p.id, p.name, p.userid, 'agent', 'active', false, $6, $5
  FROM unnest($2::uuid[], $3::text[], $4::text[]) AS p (id, name, userid)
"""

SAME_PEOPLE: Final = """
SELECT s.id, s.name, s.wecom_key, s.state,
       coalesce((SELECT array_agg(m.department_id) FROM staff_departments m
                  WHERE m.tenant_id = $1 AND m.staff_id = s.id), '{}') AS departments
  FROM staff s
 WHERE s.tenant_id = $1 AND (s.wecom_key = ANY($2::text[]) OR s.name = ANY($3::text[]))
"""

RENAME_PEOPLE: Final = """
UPDATE staff s SET name = p.name
  FROM unnest($2::uuid[], $3::text[]) AS p (id, name) WHERE s.tenant_id = $1 AND s.id = p.id
"""

CHANGE_PEOPLE: Final = """
UPDATE staff s
   SET name = p.name, wecom_userid = p.userid, source = 'wecom', state = p.state,
       left_at = CASE WHEN p.state = 'left' THEN s.left_at END,
       left_because = CASE WHEN p.state = 'left' THEN s.left_because END
  FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[]) AS p (id, name, userid, state)
 WHERE s.tenant_id = $1 AND s.id = p.id
"""

LEAVE_PLACES: Final = """
DELETE FROM staff_departments d
 USING unnest($2::uuid[], $3::uuid[]) AS p (staff_id, department_id)
 WHERE d.tenant_id = $1 AND d.staff_id = p.staff_id AND d.department_id = p.department_id
"""

TAKE_PLACES: Final = """
INSERT INTO staff_departments (tenant_id, staff_id, department_id, leads)
SELECT $1, p.staff_id, p.department_id, p.leads
  FROM unnest($2::uuid[], $3::uuid[], $4::boolean[]) AS p (staff_id, department_id, leads)
    ON CONFLICT (tenant_id, staff_id, department_id) DO UPDATE SET leads = EXCLUDED.leads
"""

_LEAVERS: Final = """
  FROM staff s
 WHERE s.tenant_id = $1 AND s.source = 'wecom' AND s.state <> 'left'
   AND NOT (s.role = 'owner' AND s.user_id IS NOT NULL)
   AND NOT EXISTS (SELECT FROM address_book_people p WHERE p.tenant_id = $1 AND p.userid_key = s.wecom_key)
"""
"""Whom the address book no longer names. Owners who sign in leave by hand alone: nobody is locked out by a list."""

COUNT_LEAVERS: Final = "SELECT count(*)" + _LEAVERS

COUNT_KNOWN: Final = "SELECT count(*) FROM staff WHERE tenant_id = $1 AND source = 'wecom' AND state <> 'left'"

SOME_LEAVERS: Final = "SELECT s.id" + _LEAVERS + " ORDER BY s.id LIMIT $2"

MARK_LEFT: Final = """
UPDATE staff SET state = 'left', left_at = $3, left_because = 'address_book'
 WHERE tenant_id = $1 AND id = ANY($2::uuid[]) AND state <> 'left'
RETURNING id, user_id
"""

OF_USERIDS: Final = """
SELECT id FROM staff
 WHERE tenant_id = $1 AND wecom_key = ANY($2::text[]) AND source = 'wecom' AND state <> 'left'
   AND NOT (role = 'owner' AND user_id IS NOT NULL)
"""

RENAME_USERIDS: Final = """
UPDATE staff s SET wecom_userid = p.userid
  FROM unnest($2::text[], $3::text[], $4::text[]) AS p (old_key, key, userid)
 WHERE s.tenant_id = $1 AND s.wecom_key = p.old_key
   AND NOT EXISTS (SELECT FROM staff o WHERE o.tenant_id = $1 AND o.wecom_key = p.key AND o.id <> s.id)
"""

ADD_DEPARTMENTS: Final = """
INSERT INTO departments (tenant_id, id, parent_id, name, position, wecom_id, created_at, updated_at)
SELECT $1, d.id, d.parent_id, d.name, d.position, d.wecom_id, $7, $7
  FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::bigint[], $6::bigint[])
       AS d (id, parent_id, name, position, wecom_id)
"""

CHANGE_DEPARTMENTS: Final = """
UPDATE departments known
   SET parent_id = d.parent_id, name = d.name, position = d.position, updated_at = $6
  FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::bigint[]) AS d (id, parent_id, name, position)
 WHERE known.tenant_id = $1 AND known.id = d.id
"""

FREE_CHILDREN: Final = """
UPDATE departments SET parent_id = NULL, updated_at = $3
 WHERE tenant_id = $1 AND parent_id = ANY($2::uuid[]) AND NOT id = ANY($2::uuid[])
"""

DROP_DEPARTMENTS: Final = "DELETE FROM departments WHERE tenant_id = $1 AND id = ANY($2::uuid[])"

BELOW: Final = """
WITH RECURSIVE below AS (
    SELECT id FROM departments WHERE tenant_id = $1 AND id = $2
     UNION
    SELECT d.id FROM departments d JOIN below b ON d.parent_id = b.id WHERE d.tenant_id = $1
) SELECT id FROM below
"""

LINE_ABOVE: Final = """
WITH RECURSIVE line AS (
    SELECT id, parent_id, name, 0 AS height FROM departments WHERE tenant_id = $1 AND id = $2
     UNION ALL
    SELECT d.id, d.parent_id, d.name, l.height + 1
      FROM departments d JOIN line l ON d.id = l.parent_id WHERE d.tenant_id = $1 AND l.height < 50
) SELECT id, name FROM line ORDER BY height DESC
"""

PEOPLE_BELOW: Final = """
WITH RECURSIVE below AS (
    SELECT id AS top, id FROM departments WHERE tenant_id = $1 AND id = ANY($2::uuid[])
     UNION
    SELECT b.top, d.id FROM departments d JOIN below b ON d.parent_id = b.id WHERE d.tenant_id = $1
)
SELECT b.top, count(DISTINCT m.staff_id) AS people
  FROM below b
  JOIN staff_departments m ON m.tenant_id = $1 AND m.department_id = b.id
  JOIN staff s ON s.tenant_id = $1 AND s.id = m.staff_id AND s.state <> 'left'
 GROUP BY b.top
"""
"""How many people are in each of these departments and below, everybody once."""
