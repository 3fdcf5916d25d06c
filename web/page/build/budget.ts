import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Plugin } from 'vite';

const LIMIT_KIB = 25;
const COUNTED = /\.(html|js|css|svg)$/;

/** Fails the build when all that the page loads, gzipped, is over its limit: people open it by a shop's weak signal. */
export function budget(): Plugin {
  let outDir = '';
  return {
    name: 'huitouke:page-budget',
    apply: 'build',
    configResolved(config) {
      outDir = join(config.root, config.build.outDir);
    },
    async closeBundle() {
      let bytes = 0;
      for (const file of await readdir(outDir, { recursive: true })) {
        if (COUNTED.test(file)) bytes += gzipSync(await readFile(join(outDir, file)), { level: 9 }).length;
      }
      const kib = Math.round(bytes / 102.4) / 10;
      if (kib > LIMIT_KIB) this.error(`the chat page is ${kib} KiB, the limit is ${LIMIT_KIB}`);
      this.info(`the chat page: ${kib} KiB of ${LIMIT_KIB} (gzip)`);
    },
  };
}
