import { describe, expect, it } from 'vitest';
import { sources } from './sources';

type Texts = Record<string, string>;

function texts(locale: string): Texts {
  const files = ['console/src', 'packages/i18n/src'].flatMap((folder) => sources(folder, `locales/${locale}.json`));
  return Object.assign({}, ...files.map(({ text }) => JSON.parse(text) as Texts)) as Texts;
}

const chinese = texts('zh-CN');
const english = texts('en');
const code = ['console/src', 'packages/ui/src', 'packages/i18n/src', 'packages/api/src'].flatMap((folder) => sources(folder, '.vue', '.ts')).filter(({ path }) => !path.includes('.test.'));
const areas = [...new Set(Object.keys(chinese).map((key) => key.split('.')[0]))].join('|');

/** Whole keys in quotes, and the patterns of those that are put together: `conversations.view.${view}`. */
const literal = new RegExp(`['"\`]((?:${areas})(?:\\.\\w+)+)['"\`]`, 'g');
const built = new RegExp(`['"\`]((?:${areas})\\.[\\w.]*\\$\\{[^\`]*)\``, 'g');
const used = new Set(code.flatMap(({ text }) => [...text.matchAll(literal)].map((match) => match[1]!)));
const patterns = code
  .flatMap(({ text }) => [...text.matchAll(built)].map((match) => match[1]!))
  .map((template) => new RegExp(`^${template.replaceAll('.', '\\.').replaceAll(/\$\{(?:[^{}]|\{[^}]*\})*\}/g, '[\\w.]+')}$`));

/** Where a key surely is one: what is translated, and the titles that features hand the shell. */
const asked = new Set(
  code.flatMap(({ text }) =>
    [...text.matchAll(/\b(?:t|te|translate)\(([^)]*)\)|\btitle: ('[^']*')|\bmeta\(('[^']*')/g)].flatMap((match) =>
      [...(match[1] ?? match[2] ?? match[3] ?? '').matchAll(literal)].map((key) => key[1]!),
    ),
  ),
);
const placeholders = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!).sort();

describe('texts', () => {
  it('exist for every key that the code names', () => {
    const missing = [...asked].filter((key) => !(key in chinese));
    expect(missing).toEqual([]);
  });

  it('are used, each of them', () => {
    const unused = Object.keys(chinese).filter((key) => !used.has(key) && !patterns.some((pattern) => pattern.test(key)));
    expect(unused).toEqual([]);
  });

  it('are complete in English, with the same placeholders', () => {
    expect(Object.keys(english).sort()).toEqual(Object.keys(chinese).sort());
    const different = Object.keys(chinese).filter((key) => placeholders(chinese[key]!).join() !== placeholders(english[key] ?? '').join());
    expect(different).toEqual([]);
  });

  it('stand in the locale files only', () => {
    const inCode = code
      .filter(({ path }) => path.startsWith('console/src') || path.startsWith('packages/ui'))
      .map(({ path, text }) => ({ path, text: text.replaceAll(/<!--[\s\S]*?-->|\/\*[\s\S]*?\*\/|(^|\s)\/\/.*$/gm, '') }))
      .filter(({ text }) => /[\u4e00-\u9fff]/.test(text.replaceAll("'简体中文'", '')));
    expect(inCode.map(({ path }) => path)).toEqual([]);
  });

  it('shared between features are few', () => {
    expect(sources('packages/i18n/src', 'locales/zh-CN.json').flatMap(({ text }) => Object.keys(JSON.parse(text) as Texts)).length).toBeLessThan(50);
  });
});
