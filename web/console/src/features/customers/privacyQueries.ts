import { api, unwrap, upload, type StoredFile } from '@huitouke/api';
import { infiniteQueryOptions, queryOptions } from '@tanstack/vue-query';
import { PAGE_SIZE, pagedOptions } from '@/app/data/paged';

export const privacyKeys = {
  settings: ['customers', 'privacy'] as const,
  refusals: ['customers', 'refusals'] as const,
  found: (q: string) => ['customers', 'refusals', q] as const,
};

export function privacyQuery() {
  return queryOptions({ queryKey: privacyKeys.settings, queryFn: ({ signal }) => unwrap(api.GET('/api/privacy', { signal })) });
}

/** Who gets no offers, newest first. */
export function refusalsQuery(q: string) {
  return infiniteQueryOptions({
    queryKey: privacyKeys.found(q),
    queryFn: ({ pageParam, signal }) =>
      unwrap(api.GET('/api/privacy/refusals', { params: { query: { limit: PAGE_SIZE, ...(q && { q }), ...(pageParam && { cursor: pageParam }) } }, signal })),
    ...pagedOptions,
  });
}

/** Brings a list of numbers to the server and says what is in it; nothing is changed yet. */
export async function lookAtList(file: File) {
  const stored = await upload<StoredFile>('/api/files?purpose=refusals_import', file);
  const found = await unwrap(api.POST('/api/privacy/refusals/lists/look', { body: { file_id: stored.id } }));
  return { ...found, fileId: stored.id };
}
