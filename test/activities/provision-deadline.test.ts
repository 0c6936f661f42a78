import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { makeProvision } from '../../src/activities/provision.ts';
import { problem } from '../../src/experiment/errors.ts';
import type { KubernetesObject } from '../../src/kubernetes/port.ts';
import { packageFolder, part, plan } from '../provisioners/kudo-support.ts';
import { attempt, fakeKafka, refusal, type Scene, scene } from './step-support.ts';

vi.mock('node:timers/promises', () => ({
  setTimeout: async (ms: number) => vi.setSystemTime(Date.now() + ms),
}));

const start = Date.parse('2026-01-01T00:00:00Z');

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date'], now: start });
});

afterEach(() => {
  vi.useRealTimers();
});

/** A cluster whose KUDO takes so long (ms) for ZooKeeper, and whose node pulls the brokers' image for ever. */
async function slow(zookeeperMs: number): Promise<Scene> {
  const provision = {
    mode: 'kudo' as const,
    zookeeper: { package: packageFolder('zookeeper') },
    kafka: { package: packageFolder('kafka') },
  };
  const at = await scene(fakeKafka(), { provision });
  at.context.resolved.provisioner = 'kudo';
  const { kubernetes } = at;
  const { read } = kubernetes;
  kubernetes.read = async <T extends KubernetesObject>(ref: Parameters<typeof read>[0]) => {
    // Somebody else's KUDO, into whose namespace these rights do not reach.
    if (ref.namespace === 'kudo-system') throw problem('KUBERNETES_REFUSED', 'forbidden');
    const found = await read<T>(ref);
    if (ref.kind !== 'Instance' || !found) return found;
    if (ref.name === 'kafka') await pulling(at);
    const done = ref.name !== 'kafka' && Date.now() - start >= zookeeperMs;
    return { ...found, status: { planStatus: { deploy: plan(done ? 'COMPLETE' : 'IN_PROGRESS') } } };
  };
  return at;
}

async function pulling({ kubernetes }: Scene): Promise<void> {
  if (kubernetes.objects.has('Pod kafka/broker-0')) return;
  await part(kubernetes, 'Pod', 'broker-0', 'kafka', { status: { phase: 'Pending' } });
  await kubernetes.create({
    ...{ apiVersion: 'v1', kind: 'Event', metadata: { name: 'pulling', namespace: 'kafka' } },
    ...{ type: 'Normal', reason: 'Pulling', message: 'Pulling image "kafka"' },
    involvedObject: { uid: kubernetes.objects.get('Pod kafka/broker-0')?.metadata?.uid },
  });
}

test('both installs have one bound, and the error says where the second one stands and what its pod waits for', async () => {
  const at = await slow(600_000);
  expect(await refusal(attempt(makeProvision(at.deps), at.context.resolved))).toMatchObject({
    code: 'TIMED_OUT',
    message:
      'plan deploy of kafka did not end within the 900 s of the whole provisioning: broker-0: Pulling: Pulling image "kafka"',
    evidence: expect.arrayContaining(['    step all IN_PROGRESS']),
    retried: false,
  });
  expect(Date.now() - start).toBeLessThan(902_000);
});

test('an attempt after a dead worker’s has what is left of it', async () => {
  const at = await slow(0);
  const again = attempt(makeProvision(at.deps), at.context.resolved, 2, undefined, start - 800_000);
  expect(await refusal(again)).toMatchObject({
    code: 'TIMED_OUT',
    message: expect.stringContaining('kafka'),
  });
  expect(Date.now() - start).toBeLessThan(102_000);
});

test('what is old and does not go is named, too', async () => {
  const at = await slow(0);
  await part(at.kubernetes, 'Pod', 'old-0', 'kafka');
  expect(await refusal(attempt(makeProvision(at.deps), at.context.resolved))).toMatchObject({
    code: 'TIMED_OUT',
    message: 'what is old of kafka did not go within the 900 s of the whole provisioning',
    evidence: ['old-0'],
  });
});
