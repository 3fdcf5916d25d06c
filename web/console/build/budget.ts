import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import type { Plugin } from 'vite';

interface Chunk {
  file: string;
  imports?: string[];
  css?: string[];
}

/** What is loaded before the inbox can be seen: these, and all they import. */
const ENTRIES = ['index.html', 'src/app/shell/ShellLayout.vue', 'src/features/conversations/pages/InboxPage.vue', 'src/app/messages.zh-CN.ts'];
const LIMIT_KIB = 250;
const FORBIDDEN = /element-plus|echarts/;

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
        if (chunk.type !== 'chunk' || !chunk.facadeModuleId?.endsWith('InboxPage.vue')) continue;
        const bad = Object.keys(chunk.modules).find((id) => FORBIDDEN.test(id));
        if (bad) this.error(`the inbox must not load ${bad}`);
      }
    },
    async closeBundle() {
      const manifest = JSON.parse(await readFile(join(outDir, '.vite/manifest.json'), 'utf8')) as Record<string, Chunk>;
      const files = new Set<string>();
      const visit = (key: string): void => {
        const chunk = manifest[key];
        if (!chunk || files.has(chunk.file)) return;
        files.add(chunk.file);
        chunk.css?.forEach((file) => files.add(file));
        chunk.imports?.forEach(visit);
      };
      ENTRIES.forEach(visit);
      let bytes = 0;
      for (const file of files) bytes += brotliCompressSync(await readFile(join(outDir, file))).length;
      const kib = Math.round(bytes / 1024);
      if (kib > LIMIT_KIB) this.error(`the inbox's first load is ${kib} KiB, the limit is ${LIMIT_KIB}`);
      this.info(`the inbox's first load: ${kib} KiB of ${LIMIT_KIB} (brotli)`);
    },
  };
}
