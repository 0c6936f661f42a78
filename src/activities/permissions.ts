import type { ResolvedExperiment } from '../experiment/spec.ts';
import type { Permission } from '../kubernetes/port.ts';
import { credentialPermissions } from './credentials.ts';

/** Rights that the janitor needs in each namespace that it looks at. Of what it may not see besides, its worker has made nothing. */
export function janitorPermissions(namespace: string): Permission[] {
  const need = (group: string, resource: string, verbs: string[]): Permission[] =>
    verbs.map((verb) => ({ verb, group, resource, namespace }));
  return [
    ...need('', 'pods', ['get', 'list', 'delete']),
    ...need('apps', 'statefulsets', ['get', 'list', 'patch']),
    ...need('coordination.k8s.io', 'leases', ['get', 'list', 'create', 'update', 'delete']),
  ];
}

/** Without it cordons are not seen; nodes belong to no namespace, so not every worker has it. */
export const nodesPermission: Permission = { verb: 'get', group: '', resource: 'nodes' };

/** Rights that every run needs in the Kafka's namespace, whatever the provisioner; provisioners add their own. */
export function runPermissions(experiment: ResolvedExperiment): Permission[] {
  const namespace = experiment.cluster.namespace;
  const need = (group: string, resource: string, verbs: string[], subresource?: string): Permission[] =>
    verbs.map((verb) => ({ verb, group, resource, namespace, ...(subresource ? { subresource } : {}) }));
  return [
    ...need('', 'namespaces', ['get']),
    ...need('', 'pods', ['get', 'list', 'watch', 'create', 'delete']),
    ...need('', 'pods', ['get', 'create'], 'proxy'),
    ...need('', 'pods', ['get'], 'log'),
    ...(experiment.reach === 'direct' ? [] : need('', 'pods', ['get', 'create'], 'portforward')),
    ...need('', 'services', ['get', 'list']),
    ...need('', 'events', ['create', 'list']),
    ...need('apps', 'statefulsets', ['get', 'list', 'patch']),
    ...need('policy', 'poddisruptionbudgets', ['list']),
    ...credentialPermissions(experiment),
    ...need('coordination.k8s.io', 'leases', ['get', 'list', 'create', 'update', 'delete']),
  ];
}
