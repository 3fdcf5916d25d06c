import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { Plugin } from 'vite';

const COMPRESSIBLE = /\.(js|css|html|svg|json|webmanifest)$/;
/** Below this a compressed copy saves less than its own headers cost. */
const MINIMUM_BYTES = 1024;

const brotli = promisify(brotliCompress);
const gzipped = promisify(gzip);

async function* walk(folder: string): AsyncGenerator<string> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) yield* walk(path);
    else yield path;
  }
}

/** Writes `.br` and `.gz` beside every asset, so that the server only has to choose one. */
export function precompress(): Plugin {
  let outDir = '';
  return {
    name: 'huitouke:precompress',
    apply: 'build',
    configResolved(config) {
      outDir = join(config.root, config.build.outDir);
    },
    closeBundle: {
      // After everything that still writes into the folder.
      order: 'post',
      sequential: true,
      handler: () => compressAll(outDir),
    },
  };
}

async function compressAll(folder: string): Promise<void> {
  for await (const path of walk(folder)) {
    if (!COMPRESSIBLE.test(path) || (await stat(path)).size < MINIMUM_BYTES) continue;
    const source = await readFile(path);
    const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: source.length } };
    await writeFile(`${path}.br`, await brotli(source, quality));
    await writeFile(`${path}.gz`, await gzipped(source, { level: 9 }));
  }
}
