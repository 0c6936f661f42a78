import { afterEach, expect, test } from 'vitest';
import { plainStream } from '../../src/liveness/environment.ts';
import { type RunningObserver, startObserver } from '../../src/liveness/observer.ts';
import { type OldBroker, oldBroker } from '../kafka/old-broker.ts';
import { type LeaderBroker, leaderBroker } from '../support/leader-broker.ts';

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

/** A broker and an observer that has had its first answer. */
async function observing(
  options: { host?: string; brokerId?: number; controller?: () => number; partitions?: number } = {},
) {
  const broker = await leaderBroker();
  if (options.controller) broker.controller = options.controller;
  const address = options.host ? broker.address.replace('127.0.0.1', options.host) : broker.address;
  const brokerIds = options.brokerId === undefined ? {} : { [address]: options.brokerId };
  const observer = observe([broker], {
    bootstrap: [address],
    brokerIds,
    partitions: options.partitions ?? 1,
  });
  await expect.poll(() => observer.report(0).samples).toBeGreaterThan(5);
  return { broker, observer };
}

/** An observer of these brokers, which end with the test. */
function observe(
  brokers: LeaderBroker[],
  options: { bootstrap: string[]; brokerIds: Record<string, number>; partitions: number },
): RunningObserver {
  const { bootstrap, brokerIds, partitions } = options;
  const observer = startObserver({
    role: 'observer',
    ...{ bootstrap, brokerIds },
    topic: 'stream',
    runId: 'r',
    rate: 1,
    stream: { ...plainStream, partitions },
    replicationFactor: 1,
    minInsyncReplicas: 1,
    consumerTimeoutMs: 60_000,
    probeStepMs: 5,
    terminationLog: '/dev/null',
  });
  stops.push(() => observer.stop(), ...brokers.map((broker) => () => void broker.cut()));
  return observer;
}

const seen = (observer: RunningObserver, kind: string) =>
  observer.report(0).observations.filter((observation) => observation.kind === kind);

test('of several partitions the first is watched, in whatever order they are listed', async () => {
  const { observer } = await observing();
  expect(observer.report(0).current).toMatchObject({ leader: 0, isr: [0], replicas: [0] });
  expect(seen(observer, 'leader')).toHaveLength(1);
});

test('a broker that falls silent for longer than an answer takes is not gone; its silence is an outage', async () => {
  const { broker, observer } = await observing();
  broker.hold(true);
  await new Promise((resolve) => setTimeout(resolve, 1_300));
  broker.hold(false);
  const { samples } = observer.report(0);
  await expect.poll(() => observer.report(0).samples, { timeout: 5_000 }).toBeGreaterThan(samples + 5);
  expect(seen(observer, 'broker-gone')).toEqual([]);
  const { longestMs } = observer.report(0).partitionOutages;
  expect(longestMs).toBeGreaterThan(1_250);
});

test('brokers are asked rarely while all is well, leaders often where it is not, and everybody where one is gone', async () => {
  const leader = await leaderBroker();
  const other = await leaderBroker(6);
  other.errorOfOthers = 6;
  const bootstrap = [leader.address, other.address];
  const brokers = bootstrap.map((address, id) => ({ id, port: Number(address.split(':')[1]) }));
  const second = { leader: 0, replicas: [0, 1], isr: [0] };
  for (const broker of [leader, other]) Object.assign(broker, { brokers, second });
  const brokerIds = Object.fromEntries(bootstrap.map((address, id) => [address, id]));
  const observer = observe([leader, other], { bootstrap, brokerIds, partitions: 2 });
  // A clock that is as late as the observer's own steps are.
  let steps = 0;
  const clock = setInterval(() => steps++, 10);
  stops.push(() => clearInterval(clock));
  /** Questions to each of the two in a step, over some of them. */
  const asked = async () => {
    const before = [leader.askedForMetadata, other.askedForMetadata] as const;
    const from = steps;
    await expect.poll(() => steps - from, { timeout: 5_000 }).toBeGreaterThan(40);
    const each = (now: number, then: number) => (now - then) / (steps - from);
    return {
      ofLeader: each(leader.askedForMetadata, before[0]),
      ofOther: each(other.askedForMetadata, before[1]),
    };
  };
  /** Longer than the moment after which all would be well. */
  const staysWatchful = async (why: string) => {
    for (let time = 0; time < 4; time++) expect((await asked()).ofLeader, why).toBeGreaterThan(0.5);
  };
  const eventually = { timeout: 10_000 };
  await expect.poll(() => observer.report(0).current.isr).toEqual([0]);
  await staysWatchful('while a replica is out of sync');
  // A third, but for moments in which a busy machine makes the leader doubted.
  expect((await asked()).ofOther).toBeLessThan(0.6);
  second.isr = [0, 1];
  await expect.poll(async () => (await asked()).ofLeader, eventually).toBeLessThan(0.35);
  const calm = await asked();
  expect(calm.ofLeader).toBeGreaterThan(2 * calm.ofOther);
  leader.errorOfOthers = 6;
  await expect.poll(async () => (await asked()).ofLeader, eventually).toBeGreaterThan(0.5);
  await staysWatchful('while nobody serves');
  leader.errorOfOthers = 0;
  await expect.poll(async () => (await asked()).ofLeader, eventually).toBeLessThan(0.35);
  await other.cut();
  await expect.poll(async () => (await asked()).ofLeader, eventually).toBeGreaterThan(0.5);
  await staysWatchful('while a broker is missing');
  await other.listen();
  await expect.poll(() => seen(observer, 'broker-back').at(-1), eventually).toMatchObject({ broker: 1 });
  expect((await asked()).ofLeader, 'right after it is back').toBeGreaterThan(0.5);
  await expect.poll(async () => (await asked()).ofLeader, eventually).toBeLessThan(0.35);
  await leader.cut();
  await expect.poll(async () => (await asked()).ofOther, eventually).toBeGreaterThan(0.5);
});

test('every partition of the stream is probed', async () => {
  const { broker, observer } = await observing({ partitions: 2 });
  broker.errorOfOthers = 6;
  const open = () => observer.report(0).partitionOutages.longest.filter((one) => one.open);
  await expect.poll(open).toMatchObject([{ partition: 1 }]);
  expect(observer.report(0).partitionOutages.partitions).toBe(2);
});

test('a broker that ends its connections is gone, and back when it answers', async () => {
  const { broker, observer } = await observing();
  await broker.cut();
  await expect.poll(() => seen(observer, 'broker-gone')).toMatchObject([{ broker: 0 }]);
  await broker.listen();
  await expect.poll(() => seen(observer, 'broker-back'), { timeout: 5_000 }).toHaveLength(2);
});

test('a broker that advertises another address than its pod’s is told apart all the same', async () => {
  const { broker, observer } = await observing({ host: 'localhost', brokerId: 0 });
  await broker.cut();
  await expect.poll(() => seen(observer, 'broker-gone')).toMatchObject([{ broker: 0 }]);
});

test('a controller is noted when it is known, and not at each answer of brokers that tell any of them', async () => {
  let answers = 0;
  const anyOf = await observing({ controller: () => answers++ % 3 });
  await expect.poll(() => answers, { timeout: 5_000 }).toBeGreaterThan(100);
  expect(seen(anyOf.observer, 'controller')).toEqual([]);
  expect(anyOf.observer.report(0)).toMatchObject({
    current: { controller: -1 },
    metadata: { controllerChanges: 0 },
  });
  let controller = 4;
  const toldAt: number[] = [];
  const tell = () => {
    if (controller === 5) toldAt.push(Date.now());
    return controller;
  };
  const steady = await observing({ controller: tell });
  const noted = () => seen(steady.observer, 'controller');
  await expect.poll(noted, { timeout: 5_000 }).toMatchObject([{ broker: 4 }]);
  controller = 5;
  await expect.poll(noted, { timeout: 5_000 }).toMatchObject([{ broker: 4 }, { broker: 5 }]);
  // By the first answer that told of it.
  expect(noted()[1]?.at).toBeLessThan(toldAt[10] ?? 0);
  expect(steady.observer.report(0)).toMatchObject({
    current: { controller: 5 },
    metadata: { controllerChanges: 1 },
  });
});

test('a broker is in sync when it is in every partition of the stream', async () => {
  const { broker, observer } = await observing();
  broker.second = { leader: 0, replicas: [0, 1], isr: [0, 1] };
  await expect.poll(() => observer.report(0).current.isr).toEqual([0, 1]);
  broker.second.isr = [0];
  await expect.poll(() => observer.report(0).current.isr).toEqual([0]);
  broker.second.isr = [0, 1];
  await expect
    .poll(() =>
      seen(observer, 'isr')
        .map(({ isr }) => isr)
        .slice(-3),
    )
    .toEqual([[0, 1], [0], [0, 1]]);
});

/** Three brokers before 2.1, of which the first leads, and an observer that knows the leader's ISR. */
async function observingOld(): Promise<{ brokers: OldBroker[]; observer: RunningObserver }> {
  const brokers = [await oldBroker(), await oldBroker(), await oldBroker()];
  stops.push(...brokers.map((broker) => () => void broker.close()));
  const all = brokers.map(({ address }, id) => ({ id, address }));
  for (const broker of brokers) Object.assign(broker, { brokers: all, isr: [0, 1, 2] });
  const bootstrap = brokers.map(({ address }) => address);
  const observer = observe([], { bootstrap, brokerIds: {}, partitions: 1 });
  await expect.poll(() => observer.report(0).current.isr, { timeout: 5_000 }).toEqual([0, 1, 2]);
  return { brokers, observer };
}

test('brokers that do not know Metadata v7 are observed, though they tell no epochs', async () => {
  const { brokers, observer } = await observingOld();
  await expect.poll(() => seen(observer, 'broker-back')).toHaveLength(3);
  expect(observer.report(0).current).toMatchObject({ leader: 0, leaderEpoch: -1, replicas: [0, 1, 2] });
  expect(seen(observer, 'broker-gone')).toEqual([]);
  await brokers[2]?.close();
  await expect.poll(() => seen(observer, 'broker-gone')).toMatchObject([{ broker: 2 }]);
});

test('without epochs a new leader is known by its own word, and those who have not heard of it take nothing back', async () => {
  const { brokers, observer } = await observingOld();
  const [first, second, third] = brokers as [OldBroker, OldBroker, OldBroker];
  await first.close();
  third.leader = 1;
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(observer.report(0).current.leader).toBe(0);
  Object.assign(second, { leader: 1, isr: [1, 2] });
  third.leader = 0;
  await expect.poll(() => observer.report(0).current).toMatchObject({ leader: 1, isr: [1, 2] });
  const { asked } = third;
  const before = asked.length;
  await expect.poll(() => asked.length - before, { timeout: 5_000 }).toBeGreaterThan(10);
  expect(seen(observer, 'leader').map(({ broker }) => broker)).toEqual([0, 1]);
  expect(observer.report(0).metadata).toMatchObject({ leaderChanges: 1, shrinks: [{ least: 2 }] });
});
