import { afterEach, expect, test } from 'vitest';
import type { PartitionOutage } from '../../src/experiment/outage.ts';
import type { Dial } from '../../src/kafka/port.ts';
import { dialDirect } from '../../src/kafka/reach.ts';
import { type RunningProbes, startProbes } from '../../src/liveness/probes.ts';
import { type LeaderBroker, leaderBroker } from '../support/leader-broker.ts';

const notLeader = 6;
const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

async function brokerOf(error = 0): Promise<LeaderBroker> {
  const broker = await leaderBroker(error);
  stops.push(() => void broker.cut());
  return broker;
}

/** Probes of these brokers, after the first answer of a leader. */
async function probing(
  brokers: LeaderBroker[],
  partitions = [0],
  dial: Dial = dialDirect,
): Promise<RunningProbes> {
  const addresses = brokers.map(({ address }) => address);
  const probes = start({ addresses, partitions, stepMs: 5, dial });
  await asked(brokers[0] as LeaderBroker, 20);
  return probes;
}

function start(options: {
  addresses: string[];
  partitions: number[];
  stepMs: number;
  dial: Dial;
}): RunningProbes {
  const probes = startProbes({ topic: 'stream', clientId: 'test', mayLead: () => true, ...options });
  stops.push(() => probes.stop());
  return probes;
}

/** Until so many more requests have come: the probes go on. */
async function asked(broker: LeaderBroker, more: number): Promise<void> {
  const { asked: before } = broker;
  await expect.poll(() => broker.asked - before, { timeout: 5_000, interval: 5 }).toBeGreaterThan(more);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Outages that are over and overlap the time from `from` to `to`; a busy machine may add pauses of its own elsewhere. */
async function reported(probes: RunningProbes, from: number, to: number): Promise<PartitionOutage[]> {
  const within = () =>
    (probes.report(0).outages ?? []).filter(({ at, ms, open }) => !open && at < to && at + ms > from);
  await expect.poll(() => within().length, { timeout: 5_000 }).toBeGreaterThan(0);
  return within();
}

test('answers held back are an outage by silence that contains the time they were held', async () => {
  const broker = await brokerOf();
  const probes = await probing([broker]);
  const from = Date.now();
  broker.hold(true);
  await pause(300);
  broker.hold(false);
  const to = Date.now();
  const [outage, ...others] = await reported(probes, from, to);
  expect(others).toEqual([]);
  expect(outage?.how).toBe('silence');
  expect(outage?.at).toBeLessThanOrEqual(from + 1);
  expect((outage?.at ?? 0) + (outage?.ms ?? 0)).toBeGreaterThanOrEqual(to - 1);
});

test('where what has piled up is answered slowly, a new connection beside it tells that it was an outage', async () => {
  const broker = await brokerOf();
  const probes = await probing([broker]);
  const from = Date.now();
  broker.hold(true);
  await pause(400);
  broker.releaseSlowly(15);
  const [outage, ...others] = await reported(probes, from, Date.now());
  expect(others).toEqual([]);
  expect(outage?.ms).toBeGreaterThanOrEqual(390);
});

test('an outage longer than any connection is kept waiting for is told too', async () => {
  const broker = await brokerOf();
  const probes = await probing([broker]);
  const from = Date.now();
  broker.hold(true);
  await pause(5_400);
  broker.hold(false);
  const [outage] = await reported(probes, from, Date.now());
  expect(outage?.ms).toBeGreaterThanOrEqual(5_390);
}, 20_000);

test('a broker that is cut off and comes back is dialled again until it serves', async () => {
  const broker = await brokerOf();
  const probes = await probing([broker]);
  const from = Date.now();
  await broker.cut();
  await expect.poll(() => probes.report(0).partitionOutages.longest.at(-1)?.open).toBe(true);
  await broker.listen();
  expect(await reported(probes, from, Date.now())).toMatchObject([{ how: 'cut' }]);
});

test.each([
  // It may listen again at any moment.
  ['refuses connections is dialled again between two steps', 'ECONNREFUSED', { least: 4, most: Infinity }],
  ['cannot be reached is not dialled more often than at each step', 'EHOSTUNREACH', { least: 0, most: 2 }],
])('a broker that %s: %s', async (_how, code, { least, most }) => {
  const stepMs = 100;
  let dials = 0;
  const dial: Dial = () => {
    dials++;
    return Promise.reject(Object.assign(new Error('no connection'), { code }));
  };
  // As late as the probes' own steps are.
  let steps = 0;
  const clock = setInterval(() => steps++, stepMs);
  stops.push(() => clearInterval(clock));
  start({ addresses: ['broker:9092'], partitions: [0], stepMs, dial });
  await expect.poll(() => steps, { timeout: 10_000 }).toBeGreaterThan(10);
  expect(dials).toBeGreaterThan(least * steps);
  expect(dials).toBeLessThan(most * steps);
});

test('a broker that refuses is left alone while another serves', async () => {
  const broker = await brokerOf();
  let dials = 0;
  const dial: Dial = (host, port, giveUp) => {
    if (host !== 'gone') return dialDirect(host, port, giveUp);
    dials++;
    return Promise.reject(Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }));
  };
  start({ addresses: [broker.address, 'gone:9092'], partitions: [0], stepMs: 5, dial });
  await asked(broker, 20);
  const { asked: from } = broker;
  const before = dials;
  await asked(broker, 200);
  // Every 200 ms where probes go every 5, but for moments in which a busy machine makes the leader doubted.
  expect(dials - before).toBeLessThan((broker.asked - from) / 2);
});

test('when the leader says that it no longer leads, the others are asked on connections that are held', async () => {
  const first = await brokerOf();
  const second = await brokerOf(notLeader);
  const probes = await probing([first, second]);
  // Not asked at each step while the first serves.
  const { asked: before } = second;
  await asked(first, 60);
  expect(second.asked - before).toBeLessThan(20);
  const from = Date.now();
  first.error = notLeader;
  await asked(second, 20);
  second.error = 0;
  expect(await reported(probes, from, Date.now())).toMatchObject([{ how: 'refusal' }]);
  await asked(second, 60);
});

test('a connection that stays silent for good is replaced by a fresh one', async () => {
  const broker = await brokerOf();
  const probes = await probing([broker]);
  const from = Date.now();
  broker.hold(true);
  broker.forgetConnections();
  await pause(200);
  broker.hold(false);
  expect(await reported(probes, from, from + 200)).toMatchObject([{ how: 'silence' }]);
  await asked(broker, 60);
});

test('a new connection beside a silent one is given the time that TLS and SASL may take', async () => {
  const broker = await brokerOf();
  const slow = async (...to: Parameters<Dial>) => {
    const socket = await dialDirect(...to);
    await pause(600);
    return socket;
  };
  const probes = await probing([broker], [0], Object.assign(slow, { handshakeMs: 3_000 }));
  const from = Date.now();
  broker.hold(true);
  broker.forgetConnections();
  await pause(200);
  broker.hold(false);
  const [outage] = await reported(probes, from, from + 200);
  expect(outage).toMatchObject({ how: 'silence' });
  expect(outage?.ms).toBeGreaterThan(600);
  await asked(broker, 60);
});

test('each partition is probed at its leader, all that one broker leads by one request, and is out by itself', async () => {
  const first = await brokerOf();
  const second = await brokerOf(notLeader);
  const partitions = [0, 1, 2];
  const probes = await probing([first, second], partitions);
  first.questions.length = 0;
  await asked(first, 60);
  // But for moments in which a busy machine makes one doubted.
  expect(first.questions.filter((one) => one.length === 3).length).toBeGreaterThan(50);
  const from = Date.now();
  first.errorOfOthers = notLeader;
  // So many probes that a pause of a busy machine does not account for the silence.
  await asked(second, 100);
  second.errorOfOthers = 0;
  await asked(second, 60);
  const outages = await reported(probes, from, Date.now());
  const moved = outages.filter(({ how, ms }) => how === 'refusal' && ms > 150);
  expect(moved.map(({ partition }) => partition).sort()).toEqual([1, 2]);
  expect(outages.some(({ partition, how }) => partition === 0 && how !== 'silence')).toBe(false);
  first.questions.length = 0;
  second.questions.length = 0;
  await asked(second, 60);
  const steady = (broker: LeaderBroker, wanted: string) =>
    broker.questions.filter((one) => one.join() === wanted).length;
  expect(steady(first, '0')).toBeGreaterThan(20);
  expect(steady(second, '1,2')).toBeGreaterThan(20);
  const told = probes.report(0).partitionOutages;
  const sums = partitions.map((partition) =>
    told.longest.filter((one) => one.partition === partition).reduce((sum, { ms }) => sum + ms, 0),
  );
  expect(told.partitions).toBe(3);
  expect(told.count).toBeGreaterThanOrEqual(2);
  // Not the sum over partitions.
  expect(told.totalMs).toBeCloseTo(Math.max(...sums), 0);
});

test('a partition that nobody leads is out for as long, while the others are served', async () => {
  const broker = await brokerOf();
  const probes = await probing([broker], [0, 1]);
  broker.errorOfOthers = notLeader;
  const open = () => probes.report(0).partitionOutages.longest.filter((one) => one.open);
  await expect.poll(open).toMatchObject([{ partition: 1, how: 'refusal' }]);
});
