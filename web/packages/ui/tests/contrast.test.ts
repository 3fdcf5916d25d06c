import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

/** The tokens as the browser would resolve them, light and dark. */
const css = readFileSync(new URL('../src/tokens.css', import.meta.url), 'utf8');

function declarations(selector: RegExp): Record<string, string> {
  const found: Record<string, string> = {};
  for (const block of css.matchAll(/([^{}]+)\{([^{}]*)\}/g)) {
    if (!selector.test(block[1]!)) continue;
    for (const line of block[2]!.matchAll(/(--[\w-]+):\s*([^;]+);/g)) found[line[1]!] = line[2]!.trim();
  }
  return found;
}

const base = declarations(/(^|\n):root\s*$|:root,/);
const themes = { light: base, dark: { ...base, ...declarations(/^\s*\[data-theme='dark'\]\s*$/) } };

function colour(tokens: Record<string, string>, name: string): [number, number, number] {
  let value = tokens[name] ?? '';
  for (let step = 0; value.startsWith('var(') && step < 5; step += 1) value = tokens[value.slice(4, -1)] ?? '';
  const hex = /^#([0-9a-f]{6})$/i.exec(value)?.[1];
  if (!hex) throw new Error(`${name} is no plain colour: ${value}`);
  return [0, 2, 4].map((at) => Number.parseInt(hex.slice(at, at + 2), 16)) as [number, number, number];
}

function luminance(rgb: readonly number[]): number {
  const [r, g, b] = rgb.map((part) => {
    const share = part / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(tokens: Record<string, string>, one: string, other: string): number {
  const [lighter, darker] = [luminance(colour(tokens, one)), luminance(colour(tokens, other))].sort((a, b) => b - a) as [number, number];
  return (lighter + 0.05) / (darker + 0.05);
}

const surfaces = ['--surface-page', '--surface-card', '--surface-raised', '--surface-sunken'];
const onSoft = [
  ['--text-brand', '--brand-soft'],
  ['--text-danger', '--danger-soft'],
  ['--text-warning', '--warning-soft'],
  ['--text-success', '--success-soft'],
  ['--text-info', '--info-soft'],
  ['--text-assistant', '--assistant-soft'],
  ['--text-on-brand', '--brand'],
  ['--text-on-brand', '--brand-hover'],
  ['--text-on-danger', '--danger'],
  ['--text-on-danger', '--danger-hover'],
  ['--text-inverse', '--surface-inverse'],
  ['--text-inverse-link', '--surface-inverse'],
  ['--text-brand', '--surface-selected'],
  ['--text-secondary', '--surface-hover'],
  ['--text-muted', '--surface-hover'],
  ['--text-muted', '--surface-selected'],
  ['--text-danger', '--surface-selected'],
  ...['--warning-soft', '--danger-soft', '--info-soft', '--success-soft', '--bubble-customer', '--bubble-agent', '--bubble-assistant'].map((back) => ['--text', back]),
  ...['--bubble-customer', '--bubble-agent', '--bubble-assistant'].map((back) => ['--text-secondary', back]),
  ...['--bubble-customer', '--bubble-agent'].map((back) => ['--text-brand', back]),
] as [string, string][];

describe.each(Object.entries(themes))('in the %s theme', (_name, tokens) => {
  const texts: [string, number][] = [
    ['--text', 12],
    ['--text-secondary', 6.5],
    ['--text-muted', 4.5],
    ['--text-brand', 4.5],
    ['--text-danger', 4.5],
    ['--text-warning', 4.5],
    ['--text-success', 4.5],
    ['--text-info', 4.5],
    ['--text-assistant', 4.5],
  ];

  it.each(texts.flatMap(([text, least]) => surfaces.map((surface) => [text, surface, least] as const)))('%s can be read on %s', (text, surface, least) => {
    expect(contrast(tokens, text, surface)).toBeGreaterThanOrEqual(least);
  });

  it.each(onSoft)('%s can be read on %s', (text, back) => {
    expect(contrast(tokens, text, back)).toBeGreaterThanOrEqual(4.5);
  });

  it.each(['--border-control', '--focus', '--track', '--brand', '--danger'].flatMap((control) => ['--surface-page', '--surface-card'].map((surface) => [control, surface] as const)))(
    'the control colour %s can be seen on %s',
    (control, surface) => {
      expect(contrast(tokens, control, surface)).toBeGreaterThanOrEqual(3);
    },
  );

  it('the knob of a switch can be seen on its track', () => {
    expect(contrast(tokens, '--knob', '--track')).toBeGreaterThanOrEqual(3);
    expect(contrast(tokens, '--knob', '--brand')).toBeGreaterThanOrEqual(3);
  });
});
