import { describe, expect, it } from 'vitest';
import english from './en.json';
import chinese from './zh-CN.json';

const files = import.meta.glob<string>('../**/*.{vue,ts}', { query: '?raw', eager: true, import: 'default' });
const code = Object.entries(files)
  .filter(([path]) => !path.includes('.test.'))
  .map(([, text]) => text)
  .join('\n');
/** Keys that are put together: `control.faults.${key}` uses all that begin so. */
const families = [...code.matchAll(/`([a-z_]+(?:\.[a-z_]+)*\.)\$\{/g)].map((match) => match[1] ?? '');

describe('texts', () => {
  it('are complete in both languages', () => {
    expect(Object.keys(english).sort()).toEqual(Object.keys(chinese).sort());
  });

  it('take the same parameters in both', () => {
    const parameters = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '').sort();
    for (const [key, text] of Object.entries(chinese)) expect([key, parameters(english[key as keyof typeof english])]).toEqual([key, parameters(text)]);
  });

  it('are all used', () => {
    const unused = Object.keys(chinese).filter((key) => !code.includes(`'${key}'`) && !families.some((family) => key.startsWith(family)));
    expect(unused).toEqual([]);
  });

  it('exist for every key in the code', () => {
    const used = [...code.matchAll(/\bt\(\s*'([a-z_.0-9]+)'/g)].map((match) => match[1] ?? '');
    expect(used.filter((key) => !(key in chinese))).toEqual([]);
  });
});
