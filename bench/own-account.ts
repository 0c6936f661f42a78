import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import type { KubernetesObject } from '../src/kubernetes/port.ts';
import { cluster, eventually, setting } from '../test/support/testbed.ts';

/** A user of the cluster that nobody else is, so that its requests can be told from those of others in the audit log. */
export interface OwnAccount {
  /** As the audit log names it. */
  username: string;
  kubeconfig: string;
  remove(): Promise<void>;
}

interface Kubeconfig {
  clusters: { name: string; cluster: object }[];
  contexts: { name: string; context: { cluster: string } }[];
  'current-context': string;
}

const name = 'leaderfall-bench';

/** Makes a service account with its token and a kubeconfig for it. It may do everything: rights are not what is measured. */
export async function ownAccount(namespace: string): Promise<OwnAccount> {
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace } };
  const secret = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace, annotations: { 'kubernetes.io/service-account.name': name } },
    type: 'kubernetes.io/service-account-token',
  };
  const binding = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'ServiceAccount', name, namespace }],
  };
  const objects: KubernetesObject[] = [account, secret, binding];
  for (const object of objects) await cluster.create(object);
  const token = await eventually('the service account has a token', 30, async () => {
    const found = await cluster.read({ apiVersion: 'v1', kind: 'Secret', namespace, name });
    return (found?.data as { token?: string } | undefined)?.token;
  });
  const folder = mkdtempSync(join(tmpdir(), 'leaderfall-bench-'));
  const kubeconfig = join(folder, 'kubeconfig');
  writeFileSync(kubeconfig, kubeconfigWith(Buffer.from(token, 'base64').toString()), { mode: 0o600 });
  return {
    username: `system:serviceaccount:${namespace}:${name}`,
    kubeconfig,
    remove: async () => {
      rmSync(folder, { recursive: true, force: true });
      for (const { apiVersion, kind } of objects.reverse()) {
        const inside = kind === 'ClusterRoleBinding' ? {} : { namespace };
        await cluster.remove({ apiVersion: apiVersion ?? '', kind: kind ?? '', name, ...inside });
      }
    },
  };
}

/** The administrator's kubeconfig with another user in it. */
function kubeconfigWith(token: string): string {
  const found = parse(readFileSync(setting('KUBECONFIG'), 'utf8')) as Kubeconfig;
  const current = found.contexts.find((context) => context.name === found['current-context']);
  const clusters = found.clusters.filter((entry) => entry.name === current?.context.cluster);
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters,
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: clusters[0]?.name, user: name } }],
    'current-context': name,
  });
}
