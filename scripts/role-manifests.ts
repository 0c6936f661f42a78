import { janitorPermissions, nodesPermission, runPermissions } from '../src/activities/permissions.ts';
import { resolveExperiment } from '../src/experiment/resolve.ts';
import { experimentSchema } from '../src/experiment/spec.ts';
import { faults } from '../src/faults/all-faults.ts';
import { crashNamespace } from '../src/faults/crash/pod.ts';
import type { KubernetesPort, Permission } from '../src/kubernetes/port.ts';
import { kudo } from '../src/provisioners/kudo/init-objects.ts';
import { kudoProvisioner } from '../src/provisioners/kudo/kudo.ts';

/** The namespace that kustomizations put a Kafka's roles into; an overlay names another. */
const kafkaNamespace = 'kafka';

/** The Secret that the role `credentials` gives; whoever names theirs otherwise patches the name. */
export const credentialsSecret = 'leaderfall-kafka';

/** A cluster in which nothing exists: KUDO has to be made too. */
const emptyCluster = { read: async () => undefined } as unknown as KubernetesPort;

/** The roles of deploy/kustomize by file: just the rights that runs ask for before they touch anything. */
export async function roleManifests(): Promise<Record<string, string>> {
  const plain = experimentOf({});
  const secured = experimentOf({
    sasl: { mechanism: 'SCRAM-SHA-512', secret: credentialsSecret },
    tls: { caSecret: credentialsSecret },
  });
  const everyRun = runPermissions(plain);
  const target = [
    ...everyRun,
    ...janitorPermissions(kafkaNamespace),
    ...faults.filter(({ privileged }) => !privileged).flatMap((fault) => fault.permissions(kafkaNamespace)),
  ];
  const known = new Set(everyRun.map(textOf));
  const credentials = runPermissions(secured).filter((one) => !known.has(textOf(one)));
  const all = await kudoProvisioner.permissions({ kubernetes: emptyCluster, experiment: plain });
  const inNamespace = (namespace?: string) => all.filter((one) => one.namespace === namespace);
  const crash = faults.filter(({ privileged }) => privileged).flatMap((fault) => fault.permissions(''));
  return {
    'target/role.yaml': role('Role', 'leaderfall-target', target),
    'credentials/role.yaml': role('Role', 'leaderfall-credentials', credentials),
    'nodes/cluster-role.yaml': role('ClusterRole', 'leaderfall-nodes', [nodesPermission]),
    'kudo/role.yaml': role('Role', 'leaderfall-kudo', inNamespace(kafkaNamespace)),
    'kudo-init/cluster-role.yaml': [
      role('ClusterRole', 'leaderfall-kudo-init', inNamespace()),
      role('Role', 'leaderfall-kudo-init', inNamespace(kudo.namespace), kudo.namespace),
    ].join('---\n'),
    'crash/role.yaml': role('Role', 'leaderfall-crash', crash, crashNamespace),
  };
}

function experimentOf(cluster: object) {
  const input = experimentSchema.parse({ cluster: { namespace: kafkaNamespace, ...cluster } });
  return resolveExperiment(input, { image: 'image' });
}

/** A role and its binding to the worker; `namespace` where no kustomization sets it. */
function role(
  kind: 'Role' | 'ClusterRole',
  name: string,
  permissions: Permission[],
  namespace?: string,
): string {
  const metadata = [`  name: ${name}`, ...(namespace ? [`  namespace: ${namespace}`] : [])];
  const group = 'rbac.authorization.k8s.io';
  return `${[
    `apiVersion: ${group}/v1`,
    `kind: ${kind}`,
    'metadata:',
    ...metadata,
    '# Made by `npm run roles` from the rights that runs check.',
    'rules:',
    ...rulesOf(permissions),
    '---',
    `apiVersion: ${group}/v1`,
    `kind: ${kind}Binding`,
    'metadata:',
    ...metadata,
    'roleRef:',
    `  apiGroup: ${group}`,
    `  kind: ${kind}`,
    `  name: ${name}`,
    'subjects:',
    '  - kind: ServiceAccount',
    '    name: leaderfall-worker',
    '    namespace: leaderfall',
  ].join('\n')}\n`;
}

/** Resources of one group with the same verbs, and objects by name, are one rule. */
function rulesOf(permissions: Permission[]): string[] {
  const verbs = new Map<string, { group: string; resource: string; name?: string; verbs: Set<string> }>();
  for (const { verb, group, resource: whole, subresource, name } of permissions) {
    const resource = subresource ? `${whole}/${subresource}` : whole;
    const key = [group, resource, name].join(' ');
    const held = verbs.get(key) ?? { group, resource, ...(name ? { name } : {}), verbs: new Set<string>() };
    verbs.set(key, held);
    held.verbs.add(verb);
  }
  const rules = Map.groupBy(verbs.values(), ({ group, name, verbs: all }) =>
    [group, name, ...[...all].sort()].join(' '),
  );
  return [...rules.values()].flatMap((alike) => {
    const [first] = alike;
    if (!first) return [];
    return [
      `  - apiGroups: [${first.group === '' ? "''" : first.group}]`,
      `    resources: [${alike.map(({ resource }) => resource).join(', ')}]`,
      ...(first.name ? [`    resourceNames: [${first.name}]`] : []),
      `    verbs: [${[...first.verbs].join(', ')}]`,
    ];
  });
}

function textOf(permission: Permission): string {
  return JSON.stringify(permission);
}
