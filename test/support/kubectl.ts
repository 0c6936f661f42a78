import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const testbed = fileURLToPath(new URL('../../testbed/main.ts', import.meta.url));

const kustomize = fileURLToPath(new URL('../../deploy/kustomize', import.meta.url));

/** Writes an overlay of folders below deploy/kustomize, as a user does, and applies it. Gives its folder. */
export function applyOverlay(folders: string[], overlay: object): string {
  const folder = mkdtempSync(join(tmpdir(), 'leaderfall-e2e-overlay-'));
  const kustomization = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: folders.map((name) => relative(folder, join(kustomize, name))),
    ...overlay,
  };
  writeFileSync(join(folder, 'kustomization.yaml'), JSON.stringify(kustomization));
  kubectl(['apply', '-k', folder]);
  return folder;
}

/** Runs kubectl as the testbed's administrator and gives its output. Throws with what it said where it fails. */
export function kubectl(args: string[], input?: string): string {
  const command = [testbed, 'kubectl', ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: 'utf8', input });
  if (status !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
  return stdout;
}
