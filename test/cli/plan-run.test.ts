import { expect, test } from 'vitest';
import { planRun } from '../../src/cli/plan/plan-run.ts';
import type { ExperimentInput } from '../../src/experiment/spec.ts';
import { fakeKafka, type Look, type Scene, scene } from '../activities/step-support.ts';

const settings = { 'delete.topic.enable': 'true', 'zookeeper.session.timeout.ms': '6000' };

async function planned(
  input: ExperimentInput = {},
  options: { look?: Look; change?: (at: Scene) => void } = {},
) {
  const at = await scene(fakeKafka(options.look ?? {}));
  at.kafka.brokerConfig = async () => settings;
  options.change?.(at);
  at.kafka.calls.length = 0;
  const experiment = {
    cluster: { namespace: 'kafka' },
    provision: { mode: 'existing' as const },
    reach: 'direct' as const,
    ...input,
  };
  return { at, plan: await planRun(at.deps, experiment, new AbortController().signal) };
}

test('a plan tells target, kills, rhythm, every right and what each broker carries', async () => {
  const schedule = { durationSeconds: 60, intervalSeconds: 20 };
  const { plan } = await planned({ schedule, target: 'controller' });
  expect(plan).toMatchObject({
    ...{ provisioner: 'existing', namespace: 'kafka', statefulSet: 'kafka-kafka', warnings: [] },
    kills: { count: 3, intervalSeconds: 20, target: 'controller' },
    kafka: {
      reach: 'direct',
      radius: {
        partitions: 2,
        brokers: [
          { id: 1000, pod: 'kafka-kafka-0', controller: false, leads: 0, follows: 2 },
          { id: 1001, pod: 'kafka-kafka-1', controller: true, leads: 0, follows: 2 },
          { id: 1002, pod: 'kafka-kafka-2', controller: false, leads: 2, follows: 0 },
        ],
      },
    },
  });
  expect(plan.permissions).toContain('delete pods in namespace kafka');
  expect(plan.steps.find((step) => step.startsWith('kill'))).toContain('3 times, each 20 s');
});

test('a plan names the pod or the broker that is the target', async () => {
  const whom = async (target: ExperimentInput['target']) => (await planned({ target })).plan.kills.target;
  expect(await whom({ pod: 'kafka-kafka-1' })).toBe('pod kafka-kafka-1');
  expect(await whom({ broker: 1001 })).toBe('broker 1001');
  await expect(whom({ pod: 'kafka-kafka-3' })).rejects.toMatchObject({
    problem: { code: 'TARGET_NOT_FOUND' },
  });
});

test('kill times that are shut now are a warning: the run may begin when they are open', async () => {
  const freeze = [{ from: '2000-01-01T00:00:00Z', to: '2999-01-01T00:00:00Z' }];
  const change = (at: Scene) =>
    Object.assign(at.deps, { policy: { killTimes: { timeZone: 'UTC', open: [], freeze } } });
  const { plan } = await planned({}, { change });
  expect(plan.warnings).toEqual([expect.stringMatching(/makes no kill now.*LEADERFALL_KILL_TIMES/)]);
});

test('nothing is made, taken or changed by it', async () => {
  const { at } = await planned();
  expect(at.kubernetes.writes).toEqual([]);
  expect(at.kafka.calls.filter((call) => !/^(metadata|minInsyncReplicas)/.test(call))).toEqual([]);
});

test('how long a partition may be without its leader comes from the live brokers', async () => {
  const { plan } = await planned({ fault: { kind: 'force-delete' } });
  const because = plan.kafka?.outages.flatMap((outage) => outage.because) ?? [];
  expect(because.join('\n')).toContain('zookeeper.session.timeout.ms');
});

test('a broker that is down makes nothing impossible, and is told', async () => {
  const { plan } = await planned({}, { look: { brokers: [1000, 1002], isr: [1002, 1000] } });
  expect(plan.warnings).toContain('Kafka lists 2 brokers, the StatefulSet has 3: the guard will wait');
});

test('what would hold a kill is told before anybody starts one, with the word that lets it be', async () => {
  const change = (at: Scene) => {
    const single = { topic: 'orders', partition: 3, leader: 1001, leaderEpoch: 0 };
    at.kafka.others.push({ ...single, replicas: [1001], isr: [1001] });
  };
  const { plan } = await planned({}, { change });
  const holds = plan.warnings.filter((warning) => warning.includes('hold'));
  expect(holds).toEqual([
    expect.stringMatching(/kill of broker 1001: .*guard\.allow: single-replica.*orders-3/),
  ]);
  const allowed = await planned({ guard: { allow: ['single-replica'] } }, { change });
  expect(allowed.plan.warnings.filter((warning) => warning.includes('hold'))).toEqual([]);
});

test('topics that an authorizer hides are told of, since the guard would hold every kill for them', async () => {
  const change = ({ kafka }: Scene) => {
    const { metadata } = kafka;
    kafka.metadata = async (options) => {
      const whole = await metadata(options);
      return { ...whole, partitions: whole.partitions.filter(({ topic }) => topic !== '__consumer_offsets') };
    };
  };
  const { plan } = await planned({}, { change });
  expect(plan.warnings).toEqual([expect.stringMatching(/__consumer_offsets.*guard\.allow: partial-view/)]);
  const allowed = await planned({ guard: { allow: ['partial-view'] } }, { change });
  expect(allowed.plan.warnings).toEqual([]);
});
