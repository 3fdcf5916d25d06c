/** The operator's surface; only its own area loads this. */
import { clientOf } from './client';
import { problemFrom } from './errors';
import type { components, paths } from './generated/operator';

type Schemas = components['schemas'];

export type Operator = Schemas['OperatorOut'];
export type TenantRow = Schemas['TenantRow'];
export type Tenant = Schemas['TenantDetail'];
export type Usage = Schemas['UsageOut'];
export type Plan = Schemas['PlanRow'];
export type PlanDraft = Omit<Schemas['PlanPut'], 'version'>;
export type PlanList = Schemas['PlansOut'];
export type PlatformSettings = Schemas['SettingsBody'];
export type PlatformEntry = Schemas['PlatformEntryOut'];
export type Visit = Schemas['VisitRow'];

export const operatorApi = clientOf<paths>();

let onSignedOut: () => void = () => {};

/** What happens when the operator's session has ended. */
export function whenOperatorSignedOut(act: () => void): void {
  onSignedOut = act;
}

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The body of a good answer; every other answer becomes an ApiProblem. */
export async function unwrapOperator<T>(answer: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await answer;
  if (response.ok) return data as T;
  const problem = problemFrom(response.status, error);
  if (problem.type === 'unauthenticated' && !response.url.endsWith('/operator/api/session')) onSignedOut();
  throw problem;
}
