import { describe, expect, it } from 'vitest';
import { networkProblem, problemFrom } from '../src/errors';

describe('an answer that is no success', () => {
  it("brings the server's sentence, its type, field and code", () => {
    const problem = problemFrom(409, {
      type: '/problems/conversations.already_taken',
      status: 409,
      detail: '小雨已经在接待这位客户了。',
      params: { name: '小雨' },
      request_id: 'r-1',
    });
    expect(problem.message).toBe('小雨已经在接待这位客户了。');
    expect(problem.isKey).toBe(false);
    expect(problem.type).toBe('conversations.already_taken');
    expect(problem.requestId).toBe('r-1');
    expect(problem.transient).toBe(false);
  });

  it('without a document is a sentence of ours', () => {
    expect(problemFrom(502, '<html>').message).toBe('errors.server');
    expect(problemFrom(404, null).message).toBe('errors.unexpected');
  });

  it('may pass when it is a network or server failure', () => {
    expect(networkProblem().transient).toBe(true);
    expect(problemFrom(503, {}).transient).toBe(true);
    expect(problemFrom(422, {}).transient).toBe(false);
  });
});
