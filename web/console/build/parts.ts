import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

interface Chunk {
  file: string;
  imports?: string[];
  css?: string[];
}

/** What is loaded before the inbox can be seen: the page, all it imports, and the texts of one language. */
export const ENTRIES = ['index.html', 'src/app/messages.zh-CN.ts'];

/** The files of these entries and of all they import, scripts and styles, as the build's manifest names them. */
export async function partsOf(outDir: string, entries: readonly string[]): Promise<string[]> {
  const manifest = JSON.parse(await readFile(join(outDir, '.vite/manifest.json'), 'utf8')) as Record<string, Chunk>;
  const files = new Set<string>();
  const visit = (key: string): void => {
    const chunk = manifest[key];
    if (!chunk || files.has(chunk.file)) return;
    files.add(chunk.file);
    chunk.css?.forEach((file) => files.add(file));
    chunk.imports?.forEach(visit);
  };
  entries.forEach(visit);
  return [...files];
}
