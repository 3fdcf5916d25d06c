import { api, unwrap } from '@huitouke/api';
import { queryOptions } from '@tanstack/vue-query';

export const keys = {
  link: (token: string) => ['session', 'link', token] as const,
  door: (code: string) => ['session', 'door', code] as const,
  handed: (token: string) => ['session', 'handed', token] as const,
  devices: ['session', 'devices'] as const,
  secondFactor: ['session', 'second-factor'] as const,
  forgotten: ['session', 'forgotten'] as const,
  signUp: ['session', 'sign-up'] as const,
};

/** Whom a link is for. It may be gone a moment later, so nothing of it is kept. */
export function linkQuery(token: string) {
  return queryOptions({
    queryKey: keys.link(token),
    queryFn: () => unwrap(api.POST('/api/access-links/look', { body: { token } })),
    retry: false,
    gcTime: 0,
  });
}

/** The entry that a link was made for. It may be taken back a moment later, so nothing of it is kept. */
export function handedQuery(token: string) {
  return queryOptions({
    queryKey: keys.handed(token),
    queryFn: () => unwrap(api.POST('/api/handed-over/look', { body: { token } })),
    retry: false,
    gcTime: 0,
  });
}

/** Whose door it is. */
export function doorQuery(door: string) {
  return queryOptions({
    queryKey: keys.door(door),
    queryFn: ({ signal }) => unwrap(api.GET('/api/wecom-doors/{door}', { params: { path: { door } }, signal })),
    retry: false,
  });
}

/** Whether shops may sign up by themselves. */
export function signUpQuery() {
  return queryOptions({ queryKey: keys.signUp, queryFn: ({ signal }) => unwrap(api.GET('/api/sign-up', { signal })) });
}

/** Whether who forgot the password can have a link mailed. */
export function forgottenQuery() {
  return queryOptions({ queryKey: keys.forgotten, queryFn: ({ signal }) => unwrap(api.GET('/api/forgotten-password', { signal })) });
}

export function devicesQuery() {
  return queryOptions({ queryKey: keys.devices, queryFn: ({ signal }) => unwrap(api.GET('/api/sessions', { signal })) });
}

export function secondFactorQuery() {
  return queryOptions({ queryKey: keys.secondFactor, queryFn: ({ signal }) => unwrap(api.GET('/api/second-factor', { signal })) });
}
