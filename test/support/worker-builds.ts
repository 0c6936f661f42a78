import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { applyOverlay, kubectl } from './kubectl.ts';
import { setting } from './testbed.ts';
import { workerOverlay } from './worker-pod.ts';

const namespace = 'leaderfall';
const image = 'docker.io/leaderfall/leaderfall';
const testbed = fileURLToPath(new URL('../../testbed/main.ts', import.meta.url));

/** Another image of the worker in the testbed's registry, made of this checkout's. Gives its tag. */
export function anotherImage(): string {
  const first = setting('LEADERFALL_LIVENESS_IMAGE');
  const folder = mkdtempSync(join(tmpdir(), 'leaderfall-e2e-image-'));
  writeFileSync(join(folder, 'Dockerfile'), `FROM ${first}\nLABEL io.leaderfall.build=another\n`);
  const build = [testbed, 'image', 'build', `${first}-another`, folder, '--file', join(folder, 'Dockerfile')];
  const { status, stderr } = spawnSync(process.execPath, build, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the image was not built: ${stderr}`);
  return tagOf(`${first}-another`);
}

/** The tag of the image that the testbed was given from this checkout. */
export function firstTag(): string {
  return tagOf(setting('LEADERFALL_LIVENESS_IMAGE'));
}

function tagOf(name: string): string {
  return name.split(':').at(-1) ?? '';
}

/** What all builds have in common: namespace, account and roles. */
export function deployAccount(folders: string[]): void {
  const none = {
    ...{ apiVersion: 'apps/v1', kind: 'Deployment', $patch: 'delete' },
    metadata: { name: 'leaderfall-worker', namespace },
  };
  applyOverlay(['base', ...folders], { patches: [{ patch: JSON.stringify(none) }] });
}

/** Deploys one build as docs/upgrades.md has it, and waits until its pod is ready. */
export function deployBuild(build: string, newTag: string, taskQueue: string): void {
  applyOverlay(['build'], {
    nameSuffix: `-${build}`,
    labels: [{ pairs: { 'app.kubernetes.io/version': build }, includeSelectors: true }],
    ...workerOverlay({ taskQueue, image: `${image}:${newTag}` }),
  });
  kubectl(['rollout', 'status', `deployment/leaderfall-worker-${build}`, '-n', namespace, '--timeout=120s']);
}

/** Takes one build's Deployment away. */
export function removeBuild(build: string): void {
  const name = `leaderfall-worker-${build}`;
  kubectl(['delete', 'deployment', name, '-n', namespace, '--cascade=foreground', '--ignore-not-found']);
}
