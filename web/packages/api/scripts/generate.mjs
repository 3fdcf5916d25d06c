// Types from the committed schema. The file is not committed; it is made before dev, check and build.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import openapiTS, { astToString } from 'openapi-typescript';

const schema = new URL('../schema/console.json', import.meta.url);
const target = new URL('../src/generated/console.ts', import.meta.url);

const nodes = await openapiTS(JSON.parse(await readFile(schema, 'utf8')), { alphabetize: true, defaultNonNullable: false });
await mkdir(new URL('.', target), { recursive: true });
await writeFile(target, `// Made from schema/console.json by npm run generate; never edited.\n${astToString(nodes)}`);
