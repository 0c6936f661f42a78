import { expect, test } from 'vitest';
import { makeCloseStream } from '../../src/activities/close-stream.ts';
import { problem } from '../../src/experiment/errors.ts';
import { unpackChanges } from '../../src/experiment/partition-changes.ts';
import { newReadLedger, recordEnd, recordPassed, recordRead } from '../../src/liveness/ledger/read.ts';
import { type ReadReport, readReport } from '../../src/liveness/ledger/read-report.ts';
import { newSentLedger, recordAcked, sentReport } from '../../src/liveness/ledger/sent.ts';
import { livenessPorts } from '../../src/liveness/protocol.ts';
import { attempt, fakeKafka, type Scene, scene } from './step-support.ts';

const latency = { p50: 1, p99: 1, max: 1, count: 10 };

/** Ten records at the offsets of their sequences, but for those that the reader passed by. */
function readWithout(missing: number[]): ReadReport {
  const ledger = newReadLedger();
  for (let offset = 0; offset < 10; offset++) {
    if (missing.includes(offset)) recordPassed(ledger, 0, offset + 1);
    else recordRead(ledger, { partition: 0, producer: 0, sequence: offset, offset, due: 0 }, 0);
  }
  recordEnd(ledger, 0, 10);
  return readReport(ledger);
}

function sentTen() {
  const ledger = newSentLedger(0);
  ledger.triedAt = 0;
  recordAcked(ledger, 0, 0, 10, 0);
  return sentReport(ledger);
}

/** Whether all replicas were in sync at the end, of a stream whose pod is gone. */
async function inSyncAtEnd(at: Scene, waitMs = 1_500): Promise<boolean | undefined> {
  at.kubernetes.objects.delete('Pod kafka/kafka-liveness');
  const request = { ...at.context, liveness: at.liveness, until: Date.now() + waitMs, kills: [] };
  return (await attempt(makeCloseStream(at.deps), request as never)).isrFullAtEnd;
}

/** Closes a stream whose reader misses some records while it runs, and others when it reads the log once more. */
async function close({
  live,
  again,
  observer,
  ended = false,
  hung = false,
}: {
  live: number[];
  again?: number[] | 'no answer';
  observer?: () => object;
  /** The consumer has given up and left what it knew with the observer. */
  ended?: boolean;
  /** Its client does not come to the end of the log. */
  hung?: boolean;
}) {
  const at = await scene(fakeKafka());
  at.context.kafka.settings['unclean.leader.election.enable'] = 'false';
  const asked: string[] = [];
  const answers: Record<string, object> = {
    'POST /stop': { role: 'producer', now: 0, acked: 10, ledger: sentTen(), sendToAck: latency },
    [ended ? 'GET /consumer/report' : 'POST /close']: {
      role: 'consumer',
      drained: !ended && !hung,
      ledger: readWithout(live),
      sendToReceive: latency,
    },
    ...(again && again !== 'no answer' ? { 'POST /again': readWithout(again) } : {}),
  };
  if (ended) {
    const terminated = { exitCode: 3, message: '' };
    const pod = at.kubernetes.objects.get('Pod kafka/kafka-liveness');
    Object.assign(pod ?? {}, {
      status: { containerStatuses: [{ name: 'kafka-consumer', state: { terminated } }] },
    });
  }
  at.kubernetes.podRequest = async ({ port }, { method, path }) => {
    if (ended && port === livenessPorts.consumer) throw new Error('nobody listens');
    asked.push(`${method} ${path}`);
    if (observer && path.startsWith('/report?since')) {
      return { status: 200, body: JSON.stringify(observer()) };
    }
    const answer = answers[`${method} ${path}`];
    return answer ? { status: 200, body: JSON.stringify(answer) } : { status: 404, body: '' };
  };
  const request = { ...at.context, liveness: at.liveness, until: Date.now() + 1_000, kills: [] };
  const { stream, changes } = await attempt(makeCloseStream(at.deps), request as never);
  return { stream, changes, asked, askedAgain: asked.includes('POST /again') };
}

test('a log that holds everything is read once', async () => {
  const { stream, asked, askedAgain } = await close({ live: [] });
  // The consumer hears of the stop before it, so that it does not take it for an outage.
  const [first, second] = asked.filter((request) => request.includes('stop'));
  expect([first, second]).toEqual(['POST /producer-stops', 'POST /stop']);
  expect(stream).toMatchObject({
    lost: 0,
    drained: true,
    anomalies: [],
    delivery: { uncleanElection: false },
  });
  expect(askedAgain).toBe(false);
});

test('nothing is called lost before the log was read a second time', async () => {
  const { stream } = await close({ live: [3, 4], again: [4] });
  expect(stream).toMatchObject({ lost: 1, lostExamples: [4], drained: true });
  expect(stream?.notes.join()).toContain('second time');
});

test('where it cannot be read a second time, the first reading stands', async () => {
  const { stream, askedAgain } = await close({ live: [3, 4], again: 'no answer' });
  expect(stream).toMatchObject({ lost: 2, lostExamples: [3, 4] });
  expect(askedAgain).toBe(true);
});

test('a consumer that did not come to the end of the log has it read by a new client', async () => {
  const { stream } = await close({ live: [9], again: [], hung: true });
  expect(stream).toMatchObject({ lost: 0, drained: true });
  expect(stream?.notes.join()).toContain('had not come to its end');
  const unread = await close({ live: [], again: 'no answer', hung: true });
  expect(unread).toMatchObject({ askedAgain: true, stream: { drained: false } });
});

test('how the containers ended is told also where one left no word of the stream', async () => {
  const at = await scene(fakeKafka());
  const terminated = { exitCode: 137, reason: 'OOMKilled' };
  const pod = at.kubernetes.objects.get('Pod kafka/kafka-liveness');
  Object.assign(pod ?? {}, {
    status: { containerStatuses: [{ name: 'kafka-producer', state: { terminated } }] },
  });
  at.kubernetes.podRequest = async () => ({ status: 404, body: '' });
  const request = { ...at.context, liveness: at.liveness, until: Date.now() + 1_000, kills: [] };
  const { stream, containers } = await attempt(makeCloseStream(at.deps), request as never);
  expect(stream).toBeUndefined();
  expect(containers).toMatchObject({ producer: { state: 'terminated', ...terminated } });
});

test('where the consumer has given up, the observer tells what it knew and reads the log to its end', async () => {
  const { stream } = await close({ live: [3, 4, 9], again: [4], ended: true });
  expect(stream).toMatchObject({ lost: 1, lostExamples: [4], drained: true, consumer: { exitCode: 3 } });
  expect(stream?.anomalies?.map(({ kind }) => kind)).toEqual(['lost']);
  const whole = await close({ live: [], again: [], ended: true });
  expect(whole).toMatchObject({ askedAgain: true, stream: { lost: 0, drained: true } });
  const unread = await close({ live: [], again: 'no answer', ended: true });
  expect(unread.stream).toMatchObject({ drained: false });
});

test('outages of the partition are in the result by the worker’s clock, not the observer’s', async () => {
  const aheadMs = 3_600_000;
  const happenedAt = Date.now();
  const partitionOutages = { count: 1, totalMs: 70, longestMs: 70, stepMs: 3, floorMs: 40 };
  const longest = [{ at: happenedAt + aheadMs, ms: 70, how: 'cut' }];
  const observer = () => ({
    now: Date.now() + aheadMs,
    observations: [],
    partitionOutages: { ...partitionOutages, longest },
  });
  const { stream } = await close({ live: [], observer });
  expect(stream?.partitionOutages).toMatchObject(partitionOutages);
  const [outage] = stream?.partitionOutages?.longest ?? [];
  expect(outage).toMatchObject({ ms: 70, how: 'cut' });
  expect(Math.abs((outage?.at ?? 0) - happenedAt)).toBeLessThan(10_000);
});

test('what the observer saw change is kept for the whole run, from a little before its first kill', async () => {
  const startedAt = Date.now() - 60_000;
  const observer = () => ({
    now: Date.now(),
    startedAt,
    observations: [
      { at: startedAt + 10, kind: 'leader', broker: 1 },
      { at: startedAt + 20, kind: 'isr', isr: [0, 1, 2] },
      { at: startedAt + 30_000, kind: 'isr', isr: [0, 2] },
    ],
    partitionOutages: { longest: [] },
  });
  const { changes } = await close({ live: [], observer });
  const told = changes ? unpackChanges(changes) : [];
  expect(told.map(({ kind, brokers }) => `${kind} ${brokers.join()}`)).toEqual([
    'leader 1',
    'isr 0,1,2',
    'isr 0,2',
  ]);
  expect(Math.abs((told.at(-1)?.at ?? 0) - (startedAt + 30_000))).toBeLessThan(5_000);
  expect(changes?.to).toBeGreaterThanOrEqual(startedAt + 60_000 - 5_000);
});

test('all replicas are in sync only where those of every partition are', async () => {
  const at = await scene(fakeKafka({}), { liveness: { partitions: 2 } });
  const { metadata } = at.kafka;
  let isr = [1000, 1001];
  at.kafka.metadata = async (options) => {
    const look = await metadata(options);
    return { ...look, partitions: look.partitions.flatMap((one) => [one, { ...one, partition: 1, isr }]) };
  };
  expect(await inSyncAtEnd(at, 0)).toBe(false);
  isr = [1000, 1001, 1002];
  expect(await inSyncAtEnd(at, 0)).toBe(true);
  // A broker that has just come back may not know them all yet.
  at.kafka.metadata = metadata;
  expect(await inSyncAtEnd(at, 0)).toBe(false);
});

test('a Kafka that cannot be opened for a moment, its only pod being replaced, is looked at again', async () => {
  const at = await scene(fakeKafka({}));
  let opened = 0;
  at.deps.connectKafka = () => {
    if (opened++ === 0) throw problem('KAFKA_UNREACHABLE', 'StatefulSet has no pods', { retryable: true });
    return at.kafka;
  };
  expect(await inSyncAtEnd(at)).toBe(true);
});

// Each waits for the last words of its containers.
test.concurrent.each([
  [
    { phase: 'Failed', reason: 'Evicted', message: 'memory' },
    { state: 'failed', reason: 'Evicted: memory' },
  ],
  [
    { phase: 'Failed', reason: 'Terminated', message: 'node shutdown' },
    { state: 'failed', reason: 'Terminated: node shutdown' },
  ],
  [
    { phase: 'Failed', reason: 'Preempting' },
    { state: 'failed', reason: 'Preempting' },
  ],
  // The run's own deadline, and containers that ended by themselves.
  [{ phase: 'Failed', reason: 'DeadlineExceeded' }, { state: 'running' }],
  [{ phase: 'Failed' }, { state: 'running' }],
])('a pod that ended with %o', async (status, end) => {
  const at = await scene(fakeKafka());
  at.kubernetes.podRequest = async () => ({ status: 404, body: '' });
  const pod = at.kubernetes.objects.get('Pod kafka/kafka-liveness');
  if (pod) pod.status = status;
  const request = { ...at.context, liveness: at.liveness, until: Date.now(), kills: [] };
  expect((await attempt(makeCloseStream(at.deps), request as never)).livenessPod).toEqual(end);
});
