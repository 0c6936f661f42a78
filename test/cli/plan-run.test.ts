import { expect, test } from 'vitest';
import { planLines } from '../../src/cli/commands/plan.ts';
import { planRun } from '../../src/cli/plan/plan-run.ts';
import { problem } from '../../src/experiment/errors.ts';
import type { ExperimentInput } from '../../src/experiment/spec.ts';
import { fakeKafka, type Look, type Scene, scene } from '../activities/step-support.ts';
import { instance, packageFolder } from '../provisioners/kudo-support.ts';

const settings = { 'delete.topic.enable': 'true', 'zookeeper.session.timeout.ms': '6000' };

async function planned(
  input: ExperimentInput = {},
  options: { look?: Look; change?: (at: Scene) => unknown } = {},
) {
  const at = await scene(fakeKafka(options.look ?? {}));
  at.kafka.brokerConfig = async () => settings;
  await options.change?.(at);
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

test('every partition that would be at risk is in the plan, the first ones in its warning', async () => {
  const change = (at: Scene) => {
    for (const partition of [4, 0, 3, 1, 2]) {
      const single = { topic: 'orders', partition, leader: 1001, leaderEpoch: 0 };
      at.kafka.others.push({ ...single, replicas: [1001], isr: [1001] });
    }
  };
  const { plan } = await planned({}, { change });
  expect(plan.kafka?.holds).toEqual([
    {
      broker: 1001,
      reason: 'without broker 1001 below min.insync.replicas (guard.allow: single-replica)',
      partitions: ['orders-0', 'orders-1', 'orders-2', 'orders-3', 'orders-4'],
    },
  ]);
  expect(plan.warnings).toContainEqual(
    expect.stringContaining('5 partitions (orders-0, orders-1, orders-2, …)'),
  );
  expect((await planned()).plan.kafka?.holds).toEqual([]);
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

const provision = {
  mode: 'kudo' as const,
  zookeeper: { package: packageFolder('zookeeper') },
  kafka: { package: packageFolder('kafka') },
};

/** Instances that are there. */
const withInstances =
  (...names: string[]) =>
  async ({ kubernetes }: Scene) => {
    for (const name of names) await instance(kubernetes, name, 'COMPLETE');
  };

const stepOf = ({ steps }: { steps: string[] }, name: string) => steps.find((step) => step.startsWith(name));

test('a Kafka of KUDO’s that is there is asked as any other, is not made, and stays', async () => {
  const target = { broker: 1001 };
  const change = withInstances('zookeeper-instance', 'kafka');
  const { at, plan } = await planned({ provision, target }, { change });
  expect(plan).toMatchObject({ provisioner: 'kudo', isThere: true, kafka: { radius: { partitions: 2 } } });
  expect(plan.kafka?.outages).not.toEqual([]);
  expect(planLines(plan)[0]).toContain('kafka/kafka-kafka, as it is');
  expect(stepOf(plan, 'provision')).toContain('used as found: Instances zookeeper-instance and kafka');
  expect(stepOf(plan, 'clean up')).toBe('clean up   pod, topic, annotation, claim');
  expect(at.kubernetes.writes).toEqual([]);
  await expect(planned({ provision, target: { broker: 1 } }, { change })).rejects.toMatchObject({
    problem: { code: 'TARGET_NOT_FOUND' },
  });
});

test('one that is not there is to be made, and only what is made is removed', async () => {
  const { plan } = await planned({ provision });
  expect(plan).toMatchObject({ isThere: false });
  expect(plan.kafka).toBeUndefined();
  expect(planLines(plan)[0]).toContain('to be made with KUDO');
  expect(stepOf(plan, 'clean up')).toContain('Instances zookeeper-instance and kafka with volume claims');
  const half = await planned({ provision }, { change: withInstances('zookeeper-instance') });
  expect(stepOf(half.plan, 'provision')).toContain(
    'then Instance kafka, used as found: Instance zookeeper-instance',
  );
  expect(stepOf(half.plan, 'clean up')).toMatch(/claim, Instance kafka with volume claims$/);
});

test('one whose brokers do not answer is planned all the same: a run would wait for them', async () => {
  const silent = ({ kafka }: Scene) => {
    kafka.metadata = async () => {
      throw problem('KAFKA_UNREACHABLE', 'no broker answered', { retryable: true });
    };
  };
  const change = async (at: Scene) => {
    await withInstances('zookeeper-instance', 'kafka')(at);
    silent(at);
  };
  const { plan } = await planned({ provision }, { change });
  expect(plan).toMatchObject({
    isThere: true,
    warnings: ['the run will wait for the brokers: no broker answered'],
  });
  await expect(planned({}, { change: silent })).rejects.toMatchObject({
    problem: { code: 'KAFKA_UNREACHABLE' },
  });
});
