import { createPinia, setActivePinia } from 'pinia';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { effectScope, ref } from 'vue';
import { useFinding, type Finder } from './finding';

const DELAY_MS = 300;

function finder(id: string, find: Finder['find']): Finder {
  return { id, title: id, permissions: [], find };
}

function found(id: string) {
  return { id, label: id, icon: {}, to: `/${id}` };
}

beforeEach(() => {
  setActivePinia(createPinia());
  vi.useFakeTimers();
});
afterEach(() => vi.useRealTimers());

it('asks once the typing has stopped, and keeps the order of the kinds', async () => {
  const asked = vi.fn((words: string) => Promise.resolve([found(`slow-${words}`)]));
  const words = ref('');
  const finders = [finder('one', async (q) => (await new Promise((resolve) => setTimeout(resolve, 50)), asked(q))), finder('two', (q) => asked(q))];
  const { groups, busy } = effectScope().run(() => useFinding(finders, words))!;
  for (const typed of ['小', '小雨', ' 小雨 ']) {
    words.value = typed;
    await vi.advanceTimersByTimeAsync(DELAY_MS / 2);
  }
  expect(asked).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(DELAY_MS);
  expect(asked.mock.calls.map(([q]) => q)).toEqual(['小雨', '小雨']);
  expect(groups.value.map((group) => group.finder.id)).toEqual(['one', 'two']);
  expect(busy.value).toBe(false);
});

it('never shows what was asked for earlier words, and at most five of a kind', async () => {
  const words = ref('');
  const slow = finder('one', async (q) => {
    if (q === 'a') await new Promise((resolve) => setTimeout(resolve, 2_000));
    return Array.from({ length: 9 }, (_, n) => found(`${q}${n}`));
  });
  const { groups } = effectScope().run(() => useFinding([slow], words))!;
  words.value = 'a';
  await vi.advanceTimersByTimeAsync(DELAY_MS);
  words.value = 'b';
  await vi.advanceTimersByTimeAsync(3_000);
  expect(groups.value[0]!.found.map((one) => one.id)).toEqual(['b0', 'b1', 'b2', 'b3', 'b4']);
});

it('says that a kind could not be searched and shows the others', async () => {
  const words = ref('');
  const finders = [finder('one', () => Promise.reject(new Error('away'))), finder('two', () => Promise.resolve([found('x')]))];
  const { groups, failed, busy } = effectScope().run(() => useFinding(finders, words))!;
  words.value = 'x';
  await vi.advanceTimersByTimeAsync(DELAY_MS);
  expect([failed.value, busy.value, groups.value.length]).toEqual([true, false, 1]);
});
