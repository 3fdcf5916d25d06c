import { problemFrom } from '@huitouke/api';
import { describe, expect, it } from 'vitest';
import { problemField } from './staffProblems';

describe('where a refusal about staff is said', () => {
  it('at the field the server names', () => {
    expect(problemField(problemFrom(409, { type: '/problems/access.sign_in_name_taken', detail: '…', field: 'sign_in_name' }))).toBe('sign_in_name');
  });
  it('at the role, when the last owner would go', () => {
    expect(problemField(problemFrom(409, { type: '/problems/organization.last_owner', detail: '…' }))).toBe('role');
  });
  it('above the form, when it is about no field', () => {
    expect(problemField(problemFrom(503, {}))).toBeNull();
    expect(problemField(new Error('x'))).toBeNull();
  });
});
