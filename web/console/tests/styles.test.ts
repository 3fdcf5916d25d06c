import { expect, it } from 'vitest';
import { sources } from './sources';

/** What may hold a number of pixels: a condition on the window's width cannot use a token. */
const CONDITION = /@(media|container)[^{]*/g;

function styles(path: string, text: string): string {
  const css = path.endsWith('.vue') ? [...text.matchAll(/<style[^>]*>([\s\S]*?)<\/style>/g)].map((match) => match[1]).join('\n') : text;
  return css.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(CONDITION, '');
}

const files = ['console/src', 'packages/ui/src'].flatMap((folder) => sources(folder, '.vue', '.css')).filter(({ path }) => !path.endsWith('tokens.css'));

it('colours stand in the tokens only', () => {
  const found = files.filter(({ path, text }) => /#[0-9a-f]{3,8}\b|\b(rgb|hsl|oklch)a?\(/i.test(styles(path, text)));
  expect(found.map(({ path }) => path)).toEqual([]);
});

it('pixels stand in the tokens only', () => {
  const found = files.filter(({ path, text }) => /(?<![\w-])\d*\.?\d+px\b/.test(styles(path, text)));
  expect(found.map(({ path }) => path)).toEqual([]);
});

it('every token that is used exists', () => {
  const known = new Set([...sources('packages/ui/src', 'tokens.css')[0]!.text.matchAll(/(--[\w-]+):/g)].map((match) => match[1]));
  const unknown = files.flatMap(({ path, text }) =>
    [...styles(path, text).matchAll(/var\((--[\w-]+)/g)].map((match) => match[1]!).filter((name) => !known.has(name) && !name.startsWith('--el-')).map((name) => `${path}: ${name}`),
  );
  expect(unknown).toEqual([]);
});

it('no side of a box is named left or right', () => {
  const physical = /(?<![\w-])(margin|padding|border)-(left|right|top|bottom)\b|(?<![\w-])(left|right|top|bottom|width|height):/;
  expect(files.filter(({ path, text }) => physical.test(styles(path, text))).map(({ path }) => path)).toEqual([]);
});
