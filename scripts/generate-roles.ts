import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { roleManifests } from './role-manifests.ts';

/** Writes the roles in deploy/kustomize. A test fails when they are stale. */
const folder = fileURLToPath(new URL('../deploy/kustomize/', import.meta.url));
for (const [name, text] of Object.entries(await roleManifests())) {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), text);
}
