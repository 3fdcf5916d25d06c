import { ApiProblem } from '@huitouke/api';

const PLACES: Record<string, string> = {
  'organization.last_owner': 'role',
  'organization.owners_only': 'role',
};

/** The field of the form that a refusal speaks of; null when it speaks of none. */
export function problemField(error: unknown): string | null {
  if (!(error instanceof ApiProblem)) return null;
  return error.field ?? PLACES[error.type] ?? null;
}
