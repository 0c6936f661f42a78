import { afterAll, beforeAll, expect, test } from 'vitest';
import { resolveExperiment } from '../../src/experiment/resolve.ts';
import { experimentSchema } from '../../src/experiment/spec.ts';
import { connectRest } from '../../src/kubernetes/rest.ts';
import { livenessPod } from '../../src/liveness/pod.ts';
import { ensureKafka, oneKill } from '../support/kafka.ts';
import { expectNothingLeft } from '../support/nothing-left.ts';
import { startRoleWorker } from '../support/rights.ts';
import {
  brokerDeletions,
  cluster,
  eventually,
  runExperiment,
  type WorkerProcess,
} from '../support/testbed.ts';

const taskQueue = 'e2e-refusals';
const instance = { apiVersion: 'kudo.dev/v1beta1', kind: 'Instance', namespace: 'kafka', name: 'kafka' };
let worker: WorkerProcess;

beforeAll(async () => {
  await ensureKafka();
  // No more rights than deploy/ gives to a worker that attacks a Kafka and may install one, but not KUDO itself.
  worker = await startRoleWorker(taskQueue, ['target', 'kudo']);
});

afterAll(async () => {
  await worker.stop();
});

/** A run whose liveness pod never runs: Error in that step, nobody killed, nothing left. Gives the problem as text. */
async function refusedLiveness(
  code: string,
  liveness: object,
  others: object = {},
): Promise<{ problem: string; timeline: string }> {
  const since = Date.now();
  const experiment = { ...oneKill, ...others, liveness };
  const end = await runExperiment(experiment, { taskQueue, workflowId: `e2e-refused-${since}` });
  const { result } = end;
  expect(end.code, end.stderr.slice(-2_000)).toBe(3);
  expect(result).toMatchObject({ verdict: 'Error', failStep: 'liveness', leftovers: [] });
  expect(result?.problem?.code).toBe(code);
  expect(brokerDeletions(since)).toEqual([]);
  if (result) await expectNothingLeft(result.run);
  return { problem: JSON.stringify(result?.problem), timeline: JSON.stringify(result?.timeline) };
}

test('an image that the registry does not have: Error that names the pull, nothing left', async () => {
  const image = 'docker.io/leaderfall/nowhere:0';
  const kudo = { provision: { mode: 'kudo' } };
  const { problem, timeline } = await refusedLiveness('POD_WAITING', { image }, kudo);
  expect(problem).toMatch(/ErrImagePull|ImagePullBackOff/);
  expect(problem).toContain(image);
  // The worker may not look into KUDO's namespace, and the Kafka is not this run's to remove.
  expect(timeline).toContain('KUDO is taken as it is');
  expect(await cluster.read(instance)).toBeDefined();
});

test('a node selector that no node meets: Error that names the scheduler’s reason, nothing left', async () => {
  const { problem } = await refusedLiveness('POD_WAITING', { nodeSelector: { 'example.org/disk': 'none' } });
  expect(problem).toContain('Unschedulable');
  expect(problem).toContain('node affinity/selector');
});

test('a quota that the pod does not fit: Error that names the quota, nothing left', async () => {
  const name = 'no-more-pods';
  const { send } = connectRest();
  const quotas = '/api/v1/namespaces/kafka/resourcequotas';
  await send({ method: 'POST', path: quotas, body: { metadata: { name }, spec: { hard: { pods: '0' } } } });
  try {
    await eventually('the quota is in force', 60, async () => {
      const { body } = await send({ method: 'GET', path: `${quotas}/${name}` });
      return (JSON.parse(body) as { status?: { used?: object } }).status?.used;
    });
    const { problem } = await refusedLiveness('LIVENESS_REFUSED', {});
    expect(problem).toContain(`exceeded quota: ${name}`);
  } finally {
    await send({ method: 'DELETE', path: `${quotas}/${name}` });
  }
});

test('the pod meets the pod security level restricted, by the API server’s own judgement', async () => {
  const namespace = 'kafka-restricted';
  const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  await cluster.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels } });
  await eventually('pods may be made there', 30, () =>
    cluster.read({ apiVersion: 'v1', kind: 'ServiceAccount', name: 'default', namespace }),
  );
  const run = { temporalNamespace: 'default', workflowId: 'w', runId: 'run-0000beef' };
  const experiment = resolveExperiment(experimentSchema.parse({ cluster: { namespace } }), { image: 'i' });
  const pod = livenessPod({
    experiment,
    run,
    bootstrap: ['kafka-0:9092'],
    expires: 60_000,
    now: 0,
    brokerLabels: {},
  });
  const pods = `/api/v1/namespaces/${namespace}/pods?dryRun=All`;
  const answer = async (body: object) => await connectRest().send({ method: 'POST', path: pods, body });
  expect(await answer(pod)).toMatchObject({ status: 201 });
  const loose = { ...pod, spec: { ...(pod.spec as object), securityContext: {} } };
  expect(await answer(loose)).toMatchObject({ status: 403, body: expect.stringContaining('PodSecurity') });
});
