import { createHash } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Plugin } from 'vite';
import { partsOf } from './parts.ts';

const LOCALES = ['zh-CN', 'en'];

/**
 * Gives boot.js a name that bears its content, so that browsers keep it for ever like all other parts, and tells it the
 * names of the texts: it knows the language, and asks for them while the first script is still on its way.
 */
export function boot(): Plugin {
  let outDir = '';
  return {
    name: 'huitouke:boot',
    apply: 'build',
    configResolved(config) {
      outDir = join(config.root, config.build.outDir);
    },
    closeBundle: {
      order: 'pre',
      sequential: true,
      async handler() {
        const page = join(outDir, 'index.html');
        const texts = await Promise.all(LOCALES.map(async (locale) => [locale, `/${(await partsOf(outDir, [`src/app/messages.${locale}.ts`]))[0]}`]));
        const source = await readFile(join(outDir, 'boot.js'), 'utf8');
        const script = source.replace('/* texts */ {}', JSON.stringify(Object.fromEntries(texts)));
        const name = `assets/boot-${createHash('sha256').update(script).digest('base64url').slice(0, 8)}.js`;
        await writeFile(join(outDir, name), script);
        await rm(join(outDir, 'boot.js'));
        await writeFile(page, (await readFile(page, 'utf8')).replace('/boot.js', `/${name}`));
      },
    },
  };
}
