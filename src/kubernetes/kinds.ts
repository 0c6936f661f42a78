import { problem } from '../experiment/errors.ts';

/** Every kind that Leaderfall touches: resource name, and whether it lives in a namespace. */
const kinds: Record<string, { resource: string; namespaced: boolean }> = {
  'v1/ConfigMap': { resource: 'configmaps', namespaced: true },
  'v1/Event': { resource: 'events', namespaced: true },
  'v1/Namespace': { resource: 'namespaces', namespaced: false },
  'v1/Node': { resource: 'nodes', namespaced: false },
  'v1/PersistentVolumeClaim': { resource: 'persistentvolumeclaims', namespaced: true },
  'v1/Pod': { resource: 'pods', namespaced: true },
  'v1/Secret': { resource: 'secrets', namespaced: true },
  'v1/Service': { resource: 'services', namespaced: true },
  'v1/ServiceAccount': { resource: 'serviceaccounts', namespaced: true },
  'apps/v1/StatefulSet': { resource: 'statefulsets', namespaced: true },
  'batch/v1/Job': { resource: 'jobs', namespaced: true },
  'coordination.k8s.io/v1/Lease': { resource: 'leases', namespaced: true },
  'policy/v1/PodDisruptionBudget': { resource: 'poddisruptionbudgets', namespaced: true },
  'rbac.authorization.k8s.io/v1/ClusterRoleBinding': { resource: 'clusterrolebindings', namespaced: false },
  'apiextensions.k8s.io/v1/CustomResourceDefinition': {
    resource: 'customresourcedefinitions',
    namespaced: false,
  },
  'admissionregistration.k8s.io/v1/MutatingWebhookConfiguration': {
    resource: 'mutatingwebhookconfigurations',
    namespaced: false,
  },
  'authorization.k8s.io/v1/SelfSubjectAccessReview': {
    resource: 'selfsubjectaccessreviews',
    namespaced: false,
  },
  'kudo.dev/v1beta1/Operator': { resource: 'operators', namespaced: true },
  'kudo.dev/v1beta1/OperatorVersion': { resource: 'operatorversions', namespaced: true },
  'kudo.dev/v1beta1/Instance': { resource: 'instances', namespaced: true },
};

/** Path of a collection, or of one object in it. */
export function pathOf(ref: {
  apiVersion?: string;
  kind?: string;
  namespace?: string;
  name?: string;
}): string {
  const known = kinds[`${ref.apiVersion}/${ref.kind}`];
  if (!known) throw problem('INTERNAL', `kind ${ref.apiVersion}/${ref.kind} is not in the table of kinds`);
  const root = ref.apiVersion === 'v1' ? '/api/v1' : `/apis/${ref.apiVersion}`;
  const inside = known.namespaced && ref.namespace ? `/namespaces/${ref.namespace}` : '';
  return `${root}${inside}/${known.resource}${ref.name ? `/${encodeURIComponent(ref.name)}` : ''}`;
}
