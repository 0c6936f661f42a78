import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runAnnotations, runLabels } from '../../src/experiment/identity.ts';
import { experimentSchema, type ResolvedExperiment } from '../../src/experiment/spec.ts';
import type { KubernetesObject } from '../../src/kubernetes/port.ts';
import { type KudoPackage, parsePackage } from '../../src/provisioners/kudo/package.ts';
import type { PlanStatus } from '../../src/provisioners/kudo/plan.ts';
import type { ProvisionContext, Provisioning } from '../../src/provisioners/provisioner.ts';
import type { FakeKubernetes } from '../support/fake-kubernetes.ts';

/** The run that provisions. */
export const run = { temporalNamespace: 'default', workflowId: 'w', runId: 'run-a' };

/** What a run writes on everything that it makes. */
export const marks = { labels: runLabels(run), annotations: runAnnotations(run, 0) };

/** The marks of another run. */
export const another = { ...marks, labels: { ...marks.labels, 'leaderfall.io/run-id': 'another' } };

/** A package with one template. */
export function packageOf(name: string, template = 'kind: ConfigMap'): KudoPackage {
  const files = Object.entries(filesOf(name, '{}', template));
  return parsePackage(new Map(files.map(([path, text]) => [path, Buffer.from(text)])), name);
}

/** The same as a folder, with a number of brokers. */
export function packageFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `leaderfall-${name}-`));
  mkdirSync(join(folder, 'templates'));
  const parameters = 'parameters: [{ name: BROKER_COUNT, default: "3" }]';
  for (const [path, text] of Object.entries(filesOf(name, parameters, 'kind: ConfigMap')))
    writeFileSync(join(folder, path), text);
  return folder;
}

function filesOf(name: string, parameters: string, template: string): Record<string, string> {
  const operator = `
name: ${name}
operatorVersion: 1.0.0
tasks: [{ name: all, kind: Apply, spec: { resources: [all.yaml] } }]
plans: { deploy: { strategy: serial, phases: [{ name: main, strategy: serial, steps: [{ name: all, tasks: [all] }] }] } }
`;
  return { 'operator.yaml': operator, 'params.yaml': parameters, 'templates/all.yaml': template };
}

/** Plan `deploy` with one phase and one step, all in one state. */
export function plan(status: PlanStatus['status'], message?: string): PlanStatus {
  const step = { name: 'all', status, ...(message ? { message } : {}) };
  return { name: 'deploy', status, phases: [{ name: 'main', status, steps: [step] }] };
}

/** Puts an object of a KUDO Instance into the cluster, as its manager makes it. */
export async function part(
  kubernetes: FakeKubernetes,
  kind: string,
  name: string,
  instance: string,
  more: object = {},
): Promise<void> {
  const labels = { 'kudo.dev/instance': instance };
  await kubernetes.create({ kind, metadata: { name, namespace: 'kafka', labels }, ...more });
  kubernetes.writes.pop();
}

/** Puts an Instance into the cluster. */
export async function instance(
  kubernetes: FakeKubernetes,
  name: string,
  status: PlanStatus['status'],
  metadata: object = {},
): Promise<void> {
  const object: KubernetesObject = {
    apiVersion: 'kudo.dev/v1beta1',
    kind: 'Instance',
    metadata: { name, namespace: 'kafka', ...metadata },
    spec: { operatorVersion: { name: `${name}-1.0.0` } },
    status: { planStatus: { deploy: plan(status) } },
  };
  await kubernetes.create(object);
  kubernetes.writes.pop();
}

/** Every other run has ended. */
export const ended: ProvisionContext['standing'] = async () => ({ state: 'ended', why: 'is closed' });

/** A run's context; what is shown to the person is kept in `shown` and given to `onProgress`. */
export function contextOf(
  kubernetes: FakeKubernetes,
  onProgress: (lines: string[]) => void = () => {},
): Provisioning & { shown: string[][] } {
  const experiment = experimentSchema.parse({
    cluster: { namespace: 'kafka' },
    provision: { zookeeper: { instance: 'zookeeper' }, kafka: { instance: 'kafka' }, podWaitSeconds: 60 },
  }) as ResolvedExperiment;
  const shown: string[][] = [];
  const progress = (lines: string[]) => {
    shown.push(lines);
    onProgress(lines);
  };
  const { signal } = new AbortController();
  const deadline = Date.now() + experiment.provision.timeoutSeconds * 1_000;
  return { kubernetes, experiment, run, expires: 0, signal, progress, shown, standing: ended, deadline };
}
