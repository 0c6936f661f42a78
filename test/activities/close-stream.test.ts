import { expect, test } from 'vitest';
import { makeCloseStream } from '../../src/activities/close-stream.ts';
import { newReadLedger, recordEnd, recordPassed, recordRead } from '../../src/liveness/ledger/read.ts';
import { type ReadReport, readReport } from '../../src/liveness/ledger/read-report.ts';
import { newSentLedger, recordAcked, sentReport } from '../../src/liveness/ledger/sent.ts';
import { attempt, fakeKafka, scene } from './step-support.ts';

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

/** Closes a stream whose reader misses some records while it runs, and others when it reads the log once more. */
async function close({
  live,
  again,
  observer,
}: {
  live: number[];
  again?: number[] | 'no answer';
  observer?: () => object;
}) {
  const at = await scene(fakeKafka());
  at.context.kafka.settings['unclean.leader.election.enable'] = 'false';
  const asked: string[] = [];
  const answers: Record<string, object> = {
    'POST /stop': { role: 'producer', now: 0, acked: 10, ledger: sentTen(), sendToAck: latency },
    'POST /close': { role: 'consumer', drained: true, ledger: readWithout(live), sendToReceive: latency },
    ...(again && again !== 'no answer' ? { 'POST /again': readWithout(again) } : {}),
  };
  at.kubernetes.podRequest = async (_, { method, path }) => {
    asked.push(`${method} ${path}`);
    if (observer && path.startsWith('/report?since')) {
      return { status: 200, body: JSON.stringify(observer()) };
    }
    const answer = answers[`${method} ${path}`];
    return answer ? { status: 200, body: JSON.stringify(answer) } : { status: 404, body: '' };
  };
  const request = { ...at.context, liveness: at.liveness, until: Date.now() + 1_000, kills: [] };
  const { stream } = await attempt(makeCloseStream(at.deps), request as never);
  return { stream, askedAgain: asked.includes('POST /again') };
}

test('a log that holds everything is read once', async () => {
  const { stream, askedAgain } = await close({ live: [] });
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
