import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const WEB = new URL('../..', import.meta.url).pathname;

/** All files below a folder of `web/` whose paths end so, with their text. */
export function sources(folder: string, ...endings: string[]): { path: string; text: string }[] {
  return readdirSync(join(WEB, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => endings.some((ending) => path.endsWith(ending)) && !path.includes('node_modules') && !path.includes('/generated/'))
    .map((path) => ({ path: path.slice(WEB.length), text: readFileSync(path, 'utf8') }));
}
