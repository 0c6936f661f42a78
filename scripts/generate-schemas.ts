import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { jsonSchemas } from '../src/experiment/json-schema.ts';
import { faultKinds } from '../src/faults/all-faults.ts';

/** Writes schema/*.schema.json, which editors and other programs read. A test fails when they are stale. */
const folder = fileURLToPath(new URL('../schema/', import.meta.url));
mkdirSync(folder, { recursive: true });
for (const [name, schema] of Object.entries(jsonSchemas(faultKinds))) {
  writeFileSync(`${folder}${name}.schema.json`, `${JSON.stringify(schema, null, 2)}\n`);
}
