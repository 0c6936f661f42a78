import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { applyOverlay, kubectl } from './kubectl.ts';
import { cluster, ensureNamespace, eventually, setting, startWorker, type WorkerProcess } from './testbed.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A kubeconfig of a service account, which is made where it is missing and has no rights of its own. */
export async function kubeconfigOf(namespace: string, name: string): Promise<string> {
  await ensureNamespace(namespace);
  await cluster.create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } });
  const secret = { apiVersion: 'v1', kind: 'Secret', name: `${name}-token`, namespace };
  const annotations = { 'kubernetes.io/service-account.name': name };
  const metadata = { name: secret.name, namespace, annotations };
  const type = 'kubernetes.io/service-account-token';
  await cluster.create({ apiVersion: 'v1', kind: 'Secret', metadata, type });
  const token = await eventually('the token is there', 30, async () => {
    const found = (await cluster.read(secret)) as { data?: { token?: string } } | undefined;
    return found?.data?.token;
  });
  const admin = JSON.parse(readFileSync(setting('KUBECONFIG'), 'utf8')) as { users: { user: object }[] };
  const [user] = admin.users;
  if (user) user.user = { token: Buffer.from(token, 'base64').toString() };
  const file = join(mkdtempSync(join(tmpdir(), 'leaderfall-e2e-')), 'kubeconfig');
  writeFileSync(file, JSON.stringify(admin));
  return file;
}

/** Gives a service account, the worker's by default, the rights of these folders below deploy/kustomize in that namespace. */
export function grant(
  namespace: string,
  folders: string[],
  account = { name: 'leaderfall-worker', namespace: 'leaderfall' },
): void {
  const subject = { kind: 'ServiceAccount', ...account };
  const replace = { op: 'replace', path: '/subjects/0', value: subject };
  applyOverlay(folders, {
    namespace,
    patches: [{ target: { kind: 'RoleBinding' }, patch: JSON.stringify([replace]) }],
  });
}

/** Gives the worker's service account the roles of these folders below deploy/kustomize, or takes them away. */
export function deployRoles(verb: 'apply' | 'delete', folders: string[]): void {
  for (const folder of folders) kubectl([verb, '-k', join(root, 'deploy/kustomize', folder)]);
}

/** Starts a worker with just the rights of these folders below deploy/kustomize, which are taken away when it stops. */
export async function startRoleWorker(
  taskQueue: string,
  folders: string[],
  env: Record<string, string> = {},
): Promise<WorkerProcess> {
  deployRoles('apply', folders);
  const KUBECONFIG = env.KUBECONFIG ?? (await kubeconfigOf('leaderfall', 'leaderfall-worker'));
  const worker = await startWorker(taskQueue, { ...env, KUBECONFIG });
  const stop = async () => {
    await worker.stop();
    deployRoles('delete', folders);
  };
  return { ...worker, stop };
}
