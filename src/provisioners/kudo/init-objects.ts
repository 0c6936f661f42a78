import type { KubernetesObject, ObjectRef } from '../../kubernetes/port.ts';
import type { ServingCertificate } from './certificate.ts';

/** Names that `kubectl kudo init` gives; an installation made by it is taken as it is. */
export const kudo = {
  namespace: 'kudo-system',
  manager: 'kudo-controller-manager',
  service: 'kudo-controller-manager-service',
  serviceAccount: 'kudo-manager',
  binding: 'kudo-manager-rolebinding',
  clusterRole: 'cluster-admin',
  secret: 'kudo-webhook-server-secret',
  webhook: 'kudo-manager-instance-admission-webhook-config',
} as const;

const managerLabels = { app: 'kudo-manager', 'control-plane': 'controller-manager' };

/** DNS name under which the API server calls the webhook. */
export const webhookDnsName = `${kudo.service}.${kudo.namespace}.svc`;

/** The three resource definitions. Their fields are the manager's to judge; the server only has to keep them. */
export function definitions(): KubernetesObject[] {
  return (['Operator', 'OperatorVersion', 'Instance'] as const).map((kind) => {
    const singular = kind.toLowerCase();
    const open = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
    return {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `${singular}s.kudo.dev`, labels: { app: 'kudo-manager' } },
      spec: {
        group: 'kudo.dev',
        scope: 'Namespaced',
        names: { kind, listKind: `${kind}List`, plural: `${singular}s`, singular },
        versions: [
          {
            name: 'v1beta1',
            served: true,
            storage: true,
            // As in KUDO itself, only Instances keep their status apart.
            ...(kind === 'Instance' ? { subresources: { status: {} } } : {}),
            schema: {
              openAPIV3Schema: {
                type: 'object',
                properties: {
                  apiVersion: { type: 'string' },
                  kind: { type: 'string' },
                  metadata: { type: 'object' },
                  spec: open,
                  status: open,
                },
              },
            },
          },
        ],
      },
    };
  });
}

/** Namespace, service account and its binding. */
export function prerequisites(): KubernetesObject[] {
  const labels = { app: 'kudo-manager' };
  return [
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: kudo.namespace, labels } },
    {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: kudo.serviceAccount, namespace: kudo.namespace, labels },
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: kudo.binding },
      // The manager applies whatever a package holds.
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: kudo.clusterRole },
      subjects: [{ kind: 'ServiceAccount', name: kudo.serviceAccount, namespace: kudo.namespace }],
    },
  ];
}

/** Secret with the webhook's certificate; its authority lies beside it, so that a half-done init can be continued. */
export function webhookSecret(serving: ServingCertificate): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: kudo.secret, namespace: kudo.namespace, labels: { app: 'kudo-manager' } },
    type: 'kubernetes.io/tls',
    stringData: { 'tls.crt': serving.certificate, 'tls.key': serving.key, 'ca.crt': serving.authority },
  };
}

/** Admission webhook. The manager speaks only v1beta1 reviews, which every current API server still knows. */
export function webhookConfiguration(authorityPem: string): KubernetesObject {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name: kudo.webhook, labels: { app: 'kudo-manager' } },
    webhooks: [
      {
        name: 'instance-admission.kudo.dev',
        admissionReviewVersions: ['v1beta1'],
        clientConfig: {
          caBundle: Buffer.from(authorityPem).toString('base64'),
          service: {
            namespace: kudo.namespace,
            name: kudo.service,
            path: '/admit-kudo-dev-v1beta1-instance',
          },
        },
        failurePolicy: 'Fail',
        matchPolicy: 'Equivalent',
        sideEffects: 'None',
        rules: [
          {
            apiGroups: ['kudo.dev'],
            apiVersions: ['v1beta1'],
            operations: ['CREATE', 'UPDATE'],
            resources: ['instances'],
            scope: 'Namespaced',
          },
        ],
      },
    ],
  };
}

/** The Service of the webhook, and the manager. */
export function managerObjects(image: string): { service: KubernetesObject; manager: KubernetesObject } {
  return {
    service: {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: kudo.service, namespace: kudo.namespace, labels: managerLabels },
      spec: { ports: [{ name: 'kudo', port: 443, targetPort: 'webhook-server' }], selector: managerLabels },
    },
    manager: {
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata: { name: kudo.manager, namespace: kudo.namespace, labels: managerLabels },
      spec: {
        replicas: 1,
        serviceName: kudo.service,
        selector: { matchLabels: managerLabels },
        template: {
          metadata: { labels: managerLabels },
          spec: {
            serviceAccountName: kudo.serviceAccount,
            terminationGracePeriodSeconds: 10,
            containers: [
              {
                name: 'manager',
                image,
                imagePullPolicy: 'Always',
                command: ['/root/manager'],
                env: [
                  { name: 'POD_NAMESPACE', valueFrom: { fieldRef: { fieldPath: 'metadata.namespace' } } },
                  { name: 'SECRET_NAME', value: kudo.secret },
                ],
                ports: [{ containerPort: 443, name: 'webhook-server', protocol: 'TCP' }],
                readinessProbe: { tcpSocket: { port: 443 }, periodSeconds: 2 },
                resources: { requests: { cpu: '100m', memory: '50Mi' } },
                volumeMounts: [{ name: 'cert', mountPath: '/tmp/cert', readOnly: true }],
              },
            ],
            volumes: [{ name: 'cert', secret: { secretName: kudo.secret, defaultMode: 420 } }],
          },
        },
      },
    },
  };
}

/** Names an object as the port does. */
export function refOf(object: KubernetesObject): ObjectRef {
  const { name = '', namespace } = object.metadata ?? {};
  const { apiVersion = '', kind = '' } = object;
  return { apiVersion, kind, name, ...(namespace ? { namespace } : {}) };
}
