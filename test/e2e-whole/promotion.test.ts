import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PromotionRecord } from '../../src/experiment/promotion/record.ts';
import { connectKubernetes } from '../../src/kubernetes/connect-kubernetes.ts';
import { ensureKafkaIn, oneKill, removeKafka } from '../support/kafka.ts';
import { grant, kubeconfigOf } from '../support/rights.ts';
import {
  brokerDeletions,
  eventually,
  experimentFile,
  leaderfall,
  leftIn,
  startWorker,
  type WorkerProcess,
} from '../support/testbed.ts';

/**
 * Two Kafkas in two namespaces as staging and production, each with a worker that has rights in its own alone. The promotions
 * themselves are carried by the worker of staging.
 */
const names = ['staging', 'production'] as const;
type Name = (typeof names)[number];
const account = 'leaderfall-worker';
const workers = {} as Record<Name, WorkerProcess>;
const kubeconfigs = {} as Record<Name, string>;

const queueOf = (name: Name) => `e2e-promotion-${name}`;

async function startWorkerOf(name: Name): Promise<void> {
  workers[name] = await startWorker(queueOf(name), {
    KUBECONFIG: kubeconfigs[name],
    LEADERFALL_ENVIRONMENT: name,
  });
}

beforeAll(async () => {
  await removeKafka();
  await Promise.all(names.map(ensureKafkaIn));
  for (const name of names) {
    kubeconfigs[name] = await kubeconfigOf(name, account);
    grant(name, ['target'], { name: account, namespace: name });
    await startWorkerOf(name);
  }
});

afterAll(async () => {
  for (const name of names) await workers[name]?.stop();
  await Promise.all(names.map((name) => removeKafka(name)));
});

/** Kills of both environments since an epoch ms, by the API server's audit log. */
function killsSince(since: number): Record<Name, number> {
  const count = (name: Name) => brokerDeletions(since, name).filter(({ status }) => status === 200).length;
  return { staging: count('staging'), production: count('production') };
}

function promotionFile(
  name: string,
  parts: { [stage in Name]?: object } = {},
  experiment: object = {},
): string {
  return experimentFile({
    name,
    subject: 'orders@sha256:0',
    stages: names.map((stage) => ({
      name: stage,
      environment: { taskQueue: queueOf(stage), name: stage },
      hold: '0s',
      ...(stage === 'production' ? { proof: { stage: 'staging', maxAge: '10m' } } : {}),
      experiments: [{ ...oneKill, name: 'leader', ...experiment, cluster: { namespace: stage } }],
      ...parts[stage],
    })),
  });
}

const approval = { kind: 'approval', approvers: [{ name: 'ann', role: 'sre' }] };

function start(file: string, ...flags: string[]) {
  return leaderfall([
    'promote',
    'start',
    '-f',
    file,
    '--actor',
    'carol',
    '--task-queue',
    queueOf('staging'),
    ...flags,
  ]);
}

/** Starts a promotion whose staging has an approval, and gives its id when that is waited for. */
async function startAndWait(file: string): Promise<string> {
  const { stdout } = await start(file);
  const workflowId = stdout.trim();
  await eventually('staging waits for its approval', 180, async () => {
    const [staging] = (await recordOf(workflowId)).stages;
    if (staging?.lack) throw new Error(staging.lack);
    return staging?.state === 'waiting';
  });
  return workflowId;
}

async function approve(workflowId: string): Promise<void> {
  const who = ['--reason', 'fine', '--actor', 'ann', '--role', 'sre'];
  const { code, stderr } = await leaderfall(['promote', 'approve', workflowId, ...who]);
  expect(code, stderr).toBe(0);
}

async function recordOf(workflowId: string): Promise<PromotionRecord> {
  return JSON.parse(
    (await leaderfall(['promote', 'status', workflowId, '--json'])).stdout,
  ) as PromotionRecord;
}

test('from staging to production over an approval, both workers killed while it is waited for', async () => {
  const since = Date.now();
  const workflowId = await startAndWait(promotionFile('passes', { staging: { gates: [approval] } }));
  expect(killsSince(since)).toEqual({ staging: 1, production: 0 });
  for (const name of names) {
    await workers[name].crash();
    await startWorkerOf(name);
  }
  await approve(workflowId);
  const ended = await leaderfall(['promote', 'status', workflowId, '--wait']);
  expect(ended.code, ended.stdout + ended.stderr).toBe(0);
  expect(killsSince(since)).toEqual({ staging: 1, production: 1 });
  const { outcome, stages } = await recordOf(workflowId);
  expect(outcome).toBe('Promoted');
  expect(
    stages.flatMap(({ runs }) => runs.map(({ environment, verdict }) => [environment, verdict])),
  ).toEqual([
    ['staging', 'Pass'],
    ['production', 'Pass'],
  ]);
});

test('a Fail in staging stops before production', async () => {
  const since = Date.now();
  const ended = await start(promotionFile('fails', {}, { slo: { timeToNewLeaderMs: 1 } }), '--wait');
  expect(ended.code, ended.stdout + ended.stderr).toBe(1);
  expect(ended.stdout).toContain('leader ended Fail');
  expect(killsSince(since)).toEqual({ staging: 1, production: 0 });
});

test('an approval that does not come in time ends as Expired, before production', async () => {
  const since = Date.now();
  const gates = [{ ...approval, expires: '2s' }];
  const ended = await start(promotionFile('expires', { staging: { gates } }), '--wait');
  expect(ended.code, ended.stdout + ended.stderr).toBe(2);
  expect(killsSince(since)).toEqual({ staging: 1, production: 0 });
});

test('production takes no stale proof', async () => {
  const since = Date.now();
  const production = { proof: { stage: 'staging', maxAge: '1s' } };
  const workflowId = await startAndWait(
    promotionFile('stale', { staging: { gates: [approval] }, production }),
  );
  const [staging] = (await recordOf(workflowId)).stages;
  const passedAt = Date.parse(staging?.runs[0]?.endedAt ?? '');
  await eventually('the proof is stale', 10, () => Date.now() - passedAt > 1_000);
  await approve(workflowId);
  const ended = await leaderfall(['promote', 'status', workflowId, '--wait']);
  expect(ended.code, ended.stdout + ended.stderr).toBe(1);
  expect(ended.stdout).toContain('older than 1s');
  expect(killsSince(since).production).toBe(0);
});

test.each([
  ['staging', 'production'],
  ['production', 'staging'],
] as const)('the worker of %s has no rights in %s', async (own, other) => {
  const since = Date.now();
  const file = experimentFile({ ...oneKill, cluster: { namespace: other } });
  const id = `e2e-beyond-${own}-${since}`;
  const ended = await leaderfall(['run', '-f', file, '--task-queue', queueOf(own), '--workflow-id', id]);
  expect(ended.code).toBe(3);
  expect(ended.stdout + ended.stderr).toContain('PERMISSION_MISSING');
  expect(ended.stdout + ended.stderr).toContain(`delete pods in namespace ${other}`);
  for (const name of names)
    expect(
      (await leftIn(name, { label: 'app.kubernetes.io/managed-by=leaderfall' })).filter((one) =>
        one.startsWith('Pod'),
      ),
    ).toEqual([]);
  expect(killsSince(since)).toEqual({ staging: 0, production: 0 });

  // Nor does the API server let it: not only its own check of rights.
  const kubernetes = connectKubernetes({ kubeconfig: kubeconfigs[own] });
  const ref = (namespace: string) => ({ apiVersion: 'v1', kind: 'Pod', namespace, name: 'no-such-pod' });
  await expect(kubernetes.remove(ref(other))).rejects.toMatchObject({
    problem: { code: 'KUBERNETES_REFUSED', evidence: ['HTTP 403', 'Forbidden'] },
  });
  expect(await kubernetes.remove(ref(own))).toEqual({ outcome: 'not-found' });
});
