import { afterAll, beforeAll, expect, test } from 'vitest';
import { ensureKafka, oneKill } from '../support/kafka.ts';
import { kubeconfigOf } from '../support/rights.ts';
import {
  brokerDeletions,
  cluster,
  ensureNamespace,
  eventually,
  experimentFile,
  leaderfall,
  leftIn,
  runExperiment,
  startWorker,
  temporalClient,
  type WorkerProcess,
} from '../support/testbed.ts';

const taskQueue = 'e2e-bad-input';
const empty = 'kafka-empty';
let worker: WorkerProcess;
let since: number;

beforeAll(async () => {
  await ensureKafka();
  await ensureNamespace(empty);
  worker = await startWorker(taskQueue);
  since = Date.now();
});

afterAll(async () => {
  await worker.stop();
});

const onKafka = { ...oneKill, cluster: { namespace: 'kafka' } };
const fixture = (name: string) => new URL(`../fixtures/operators/${name}`, import.meta.url).pathname;

test.each([
  ['an unknown field', { ...onKafka, schedul: {} }, 'schedul'],
  ['a wrong type', { ...onKafka, liveness: { ratePerSecond: 'fast' } }, 'liveness.ratePerSecond'],
  [
    'an interval longer than the duration',
    { ...onKafka, schedule: { durationSeconds: 5, intervalSeconds: 10 } },
    'schedule.intervalSeconds',
  ],
  [
    'a duration of 0',
    { ...onKafka, schedule: { durationSeconds: 0, intervalSeconds: 1 } },
    'schedule.durationSeconds',
  ],
])(
  '%s is refused by the command before anything is started, with the field',
  async (_, experiment, field) => {
    const workflowId = `e2e-usage-${Date.now()}`;
    const end = await leaderfall([
      'run',
      '-f',
      experimentFile(experiment),
      '--task-queue',
      taskQueue,
      '--workflow-id',
      workflowId,
    ]);
    expect(end.code).toBe(64);
    expect(end.stderr).toContain(field);
    const client = await temporalClient();
    await expect(client.workflow.getHandle(workflowId).describe()).rejects.toThrow(/not found/i);
  },
);

test.each([
  ['no target at all, as {} from the Web UI', {}, 'INPUT_INVALID', 'cluster.namespace'],
  [
    'a namespace that does not exist',
    { ...onKafka, cluster: { namespace: 'nowhere' } },
    'NAMESPACE_NOT_FOUND',
    'nowhere',
  ],
  [
    'no such service',
    { ...onKafka, cluster: { namespace: 'kafka', service: 'kafka-nope' } },
    'TARGET_NOT_FOUND',
    'kafka-svc',
  ],
  [
    'no such StatefulSet',
    { ...onKafka, cluster: { namespace: 'kafka', statefulSet: 'other' } },
    'TARGET_NOT_FOUND',
    'other',
  ],
  [
    'more replicas than brokers',
    { ...onKafka, liveness: { replicationFactor: 4 } },
    'REPLICATION_IMPOSSIBLE',
    'liveness.replicationFactor',
  ],
  [
    'a target that did not opt in',
    { ...onKafka, annotationCheck: true },
    'TARGET_NOT_ANNOTATED',
    'litmuschaos.io/chaos',
  ],
  [
    'a KUDO package that is broken',
    {
      cluster: { namespace: empty },
      provision: { mode: 'kudo', kafka: { instance: 'kafka', package: fixture('broken') } },
    },
    'PACKAGE_INVALID',
    'broken',
  ],
  [
    'a KUDO parameter that the package does not declare',
    {
      cluster: { namespace: empty },
      provision: { mode: 'kudo', kafka: { instance: 'kafka', parameters: { BROKER_CONT: '3' } } },
    },
    'PARAMETER_UNKNOWN',
    'BROKER_COUNT',
  ],
])('%s: Error with its code, exit code 3, nothing touched', async (_, experiment, code, evidence) => {
  const {
    code: exit,
    result,
    stderr,
  } = await runExperiment(experiment, { taskQueue, workflowId: `e2e-bad-${Date.now()}` });
  expect(exit, stderr.slice(-2_000)).toBe(3);
  expect(result?.verdict).toBe('Error');
  expect(result?.problem?.code).toBe(code);
  expect(result?.failStep).toBe('resolve');
  expect(JSON.stringify(result?.problem)).toContain(evidence);
  expect(await leftIn(empty)).toEqual([]);
  expect(await leftIn('kafka', { label: `leaderfall.io/run-id=${result?.run.runId}` })).toEqual([]);
});

test('a plan that ends in FATAL_ERROR: Error with the step’s message, own objects removed', async () => {
  const experiment = {
    cluster: { namespace: empty },
    provision: { mode: 'kudo', zookeeper: { instance: 'zookeeper-instance', package: fixture('fatal') } },
  };
  const { code, result, stderr } = await runExperiment(experiment, {
    taskQueue,
    workflowId: `e2e-fatal-${Date.now()}`,
  });
  expect(code, stderr.slice(-2_000)).toBe(3);
  expect(result?.problem?.code).toBe('PLAN_FATAL');
  expect(result?.failStep).toBe('provision');
  expect(result?.problem?.evidence?.join('\n')).toContain('FATAL_ERROR');
  expect(await leftIn(empty)).toEqual([]);
});

test('two runs on one cluster: the second is refused and names the first', async () => {
  const first = `e2e-first-${Date.now()}`;
  const running = runExperiment(
    { ...onKafka, schedule: { durationSeconds: 120, intervalSeconds: 60 } },
    { taskQueue, workflowId: first },
  );
  await eventually('the first run holds the claim', 60, () =>
    cluster.read({
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      namespace: 'kafka',
      name: 'leaderfall-kafka-kafka',
    }),
  );
  const second = await runExperiment(onKafka, { taskQueue, workflowId: `e2e-second-${Date.now()}` });
  expect(second.code).toBe(3);
  expect(second.result?.problem?.code).toBe('CLUSTER_CLAIMED');
  expect(second.result?.problem?.message).toContain(first);
  const client = await temporalClient();
  await client.workflow.getHandle(first).cancel();
  expect((await running).result?.verdict).toBe('Stopped');
});

test('missing rights: all of them are reported at once, and nothing is touched', async () => {
  const weak = await startWorker(`${taskQueue}-weak`, { KUBECONFIG: await kubeconfigOf(empty, 'nobody') });
  try {
    const { code, result } = await runExperiment(onKafka, {
      taskQueue: weak.taskQueue,
      workflowId: `e2e-rights-${Date.now()}`,
    });
    expect(code).toBe(3);
    expect(result?.problem?.code).toBe('PERMISSION_MISSING');
    const evidence = result?.problem?.evidence ?? [];
    expect(evidence).toContain('delete pods in namespace kafka');
    expect(evidence).toContain('patch statefulsets.apps in namespace kafka');
    expect(evidence).toContain('create leases.coordination.k8s.io in namespace kafka');
  } finally {
    await weak.stop();
  }
});

test('in all of this no broker was killed but by the run that was to', () => {
  expect(brokerDeletions(since).length).toBeLessThanOrEqual(1);
});

test('doctor and plan tell of the target, what is amiss with it, and touch nothing', async () => {
  const good = ['-f', experimentFile(onKafka)];
  const doctor = async (...args: string[]) => {
    const { code, stdout } = await leaderfall(['doctor', '--json', '--task-queue', taskQueue, ...args]);
    const findings = JSON.parse(stdout) as { state: string; what: string; next?: string }[];
    return { code, findings, bad: findings.filter(({ state }) => state === 'bad') };
  };
  const well = await doctor(...good);
  expect(well.bad).toEqual([]);
  expect(well.code).toBe(0);
  const { code, bad } = await doctor('-f', experimentFile({ ...onKafka, cluster: { namespace: empty } }));
  expect(code).toBe(1);
  expect(bad.length).toBeGreaterThan(0);
  for (const finding of bad) expect(finding.next, JSON.stringify(finding)).toBeTruthy();

  const plan = await leaderfall(['plan', ...good]);
  expect(plan.code, plan.stderr).toBe(0);
  for (const n of [0, 1, 2]) expect(plan.stdout).toMatch(new RegExp(`\\b${n} +kafka-kafka-${n} +node-`));
  expect(plan.stdout).toContain('Nothing was made, nobody was killed.');
  expect(brokerDeletions(since).length).toBeLessThanOrEqual(1);
  expect(await leftIn(empty)).toEqual([]);
});
