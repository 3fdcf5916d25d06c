-- Notes for entries ($2) of a tenant ($1) which terms the check weighs: lists ($3), one a text with a term in each line.
INSERT INTO knowledge_told (tenant_id, entry_id, terms)
SELECT $1, entry_id, string_to_array(lines, E'\n')
FROM unnest($2::uuid[], $3::text[]) AS t(entry_id, lines)
ON CONFLICT (tenant_id, entry_id) DO UPDATE SET terms = excluded.terms
