import type { ResolvedExperiment } from '../experiment/spec.ts';
import type { Permission } from '../kubernetes/port.ts';
import { credentialPermissions } from './credentials.ts';

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
    ...need('', 'services', ['get']),
    ...need('', 'events', ['create', 'list']),
    ...need('apps', 'statefulsets', ['get', 'list', 'patch']),
    ...credentialPermissions(experiment),
    ...need('coordination.k8s.io', 'leases', ['get', 'create', 'update', 'delete']),
  ];
}
