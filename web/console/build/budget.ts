import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import type { Plugin } from 'vite';
import { ENTRIES, partsOf } from './parts.ts';

const LIMIT_KIB = 180;
const FORBIDDEN = /element-plus|echarts|decode-amr/;

/** Fails the build when the inbox's first load, brotli-compressed, is over its limit or holds what it must not. */
export function budget(): Plugin {
  let outDir = '';
  return {
    name: 'huitouke:budget',
    apply: 'build',
    configResolved(config) {
      outDir = join(config.root, config.build.outDir);
    },
    generateBundle(_options, bundle) {
      for (const chunk of Object.values(bundle)) {
        if (chunk.type !== 'chunk' || !chunk.isEntry) continue;
        const bad = Object.keys(chunk.modules).find((id) => FORBIDDEN.test(id));
        if (bad) this.error(`the inbox must not load ${bad}`);
      }
    },
    async closeBundle() {
      let bytes = 0;
      for (const file of await partsOf(outDir, ENTRIES)) bytes += brotliCompressSync(await readFile(join(outDir, file))).length;
      const kib = Math.round(bytes / 1024);
      if (kib > LIMIT_KIB) this.error(`the inbox's first load is ${kib} KiB, the limit is ${LIMIT_KIB}`);
      this.info(`the inbox's first load: ${kib} KiB of ${LIMIT_KIB} (brotli)`);
    },
  };
}
