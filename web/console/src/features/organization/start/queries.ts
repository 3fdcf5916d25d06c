import { api, unwrap, type Onboarding } from '@huitouke/api';
import { queryOptions } from '@tanstack/vue-query';

export const keys = {
  onboarding: ['organization', 'onboarding'] as const,
  today: ['organization', 'today'] as const,
};

/** What has changed meanwhile is seen within a minute, also by who leaves the page open. */
const TODAY_MS = 60_000;

export function onboardingQuery() {
  return queryOptions({ queryKey: keys.onboarding, queryFn: ({ signal }) => unwrap(api.GET('/api/onboarding', { signal })) });
}

export function todayQuery() {
  return queryOptions({ queryKey: keys.today, queryFn: ({ signal }) => unwrap(api.GET('/api/today', { signal })), refetchInterval: TODAY_MS });
}

export function chooseIndustry(industry: string): Promise<Onboarding> {
  return unwrap(api.PUT('/api/onboarding/industry', { body: { industry } }));
}

export function tellFacts(facts: Record<string, string>): Promise<Onboarding> {
  return unwrap(api.PUT('/api/onboarding/facts', { body: { facts } }));
}
