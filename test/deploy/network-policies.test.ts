import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { experimentSchema } from '../../src/experiment/spec.ts';
import { crashNamespace } from '../../src/faults/crash/pod.ts';
import { crashPort } from '../../src/faults/crash/protocol.ts';

/** What pods may reach. Who may ask them is held by roles.test.ts. */
const folder = new URL('../../deploy/kustomize/', import.meta.url);
const textOf = (path: string) => readFileSync(new URL(path, folder), 'utf8');
const resourcesOf = (name: string) =>
  (parse(textOf(`${name}/kustomization.yaml`)) as { resources: string[] }).resources;

interface Rule {
  to?: {
    namespaceSelector?: { matchLabels?: Record<string, string> };
    podSelector?: { matchLabels: Record<string, string> };
  }[];
  ports?: { port: number; protocol?: string }[];
}

interface Policy {
  metadata: { name: string; namespace?: string };
  spec: {
    podSelector: { matchLabels?: object };
    policyTypes: string[];
    ingress?: { from?: object[]; ports: { port: number }[] }[];
    egress: Rule[];
  };
}

const policyOf = (path: string) => parse(textOf(path)) as Policy;

describe('worker-egress', () => {
  const { metadata, spec } = policyOf('worker-egress/network-policy.yaml');

  it('is a policy of its own, for the pods of the worker and for what goes out alone', () => {
    const [deployment] = parseAllDocuments(textOf('base/deployment.yaml')).map((document) => document.toJS());
    const base = policyOf('base/network-policy.yaml');
    expect(spec.podSelector.matchLabels).toEqual(deployment.spec.template.metadata.labels);
    expect(spec.policyTypes).toEqual(['Egress']);
    expect(base.spec.policyTypes).toEqual(['Ingress']);
    expect(metadata.name).not.toBe(base.metadata.name);
  });

  it('lets it ask name servers, Temporal where base has it, the API server and brokers where schema and target have them, no more', () => {
    const { cluster } = experimentSchema.parse({});
    const [, temporalPort] = /TEMPORAL_ADDRESS\s+value: \S+:(\d+)/.exec(textOf('base/deployment.yaml')) ?? [];
    const target = parse(textOf('target/kustomization.yaml')) as { namespace: string };
    const [key = '', value] = cluster.label.split('=');
    expect(spec.egress).toEqual([
      {
        to: [{ namespaceSelector: {}, podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } } }],
        ports: [
          { port: 53, protocol: 'UDP' },
          { port: 53, protocol: 'TCP' },
        ],
      },
      { ports: [{ port: Number(temporalPort) }] },
      { ports: [{ port: 443 }, { port: 6443 }] },
      {
        to: [
          {
            namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': target.namespace } },
            podSelector: { matchLabels: { [key]: value } },
          },
        ],
      },
    ]);
  });

  it('is nobody’s default: where things are differs', () => {
    for (const name of ['base', 'existing', 'all', 'build'])
      expect(resourcesOf(name), name).not.toContain('../worker-egress');
    expect(resourcesOf('worker-egress')).toEqual(['network-policy.yaml']);
  });
});

it('pods of `crash`, all that are in their namespace, reach nothing and are asked on their one port', () => {
  const { metadata, spec } = policyOf('crash/network-policy.yaml');
  expect(metadata.namespace).toBe(crashNamespace);
  expect(spec).toEqual({
    podSelector: {},
    policyTypes: ['Ingress', 'Egress'],
    ingress: [{ ports: [{ port: crashPort }] }],
    egress: [],
  });
  expect(resourcesOf('crash')).toContain('network-policy.yaml');
});
