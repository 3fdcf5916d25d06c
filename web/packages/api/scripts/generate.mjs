// Types from the committed schemas. The files are not committed; they are made before dev, check and build.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import openapiTS, { astToString } from 'openapi-typescript';

const SURFACES = ['console', 'operator', 'visitor'];

await mkdir(new URL('../src/generated/', import.meta.url), { recursive: true });
for (const surface of SURFACES) {
  const schema = new URL(`../schema/${surface}.json`, import.meta.url);
  const nodes = await openapiTS(JSON.parse(await readFile(schema, 'utf8')), { alphabetize: true, defaultNonNullable: false });
  const target = new URL(`../src/generated/${surface}.ts`, import.meta.url);
  await writeFile(target, `// Made from schema/${surface}.json by npm run generate; never edited.\n${astToString(nodes)}`);
}
