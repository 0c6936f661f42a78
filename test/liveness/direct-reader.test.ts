import { afterEach, beforeEach, expect, test } from 'vitest';
import { type DirectReader, startDirectReader } from '../../src/liveness/direct-reader.ts';
import { plainStream } from '../../src/liveness/environment.ts';
import { type Log, type LogBroker, logBroker, newLog } from '../support/log-broker.ts';

let log: Log;
let brokers: LogBroker[];
let direct: DirectReader;
/** How far the consumer's client has come. */
let next = 0;

beforeEach(async () => {
  log = newLog();
  next = 0;
  brokers = [await logBroker(log, 0), await logBroker(log)];
  direct = started();
});

afterEach(async () => {
  direct.stop();
  await Promise.all(brokers.map((broker) => broker.close()));
});

function started(stream = plainStream): DirectReader {
  return startDirectReader(
    {
      role: 'consumer',
      bootstrap: brokers.map(({ address }) => address),
      topic: 'stream',
      runId: 'run-1',
      rate: 1,
      stream,
      replicationFactor: 1,
      minInsyncReplicas: 1,
      consumerTimeoutMs: 60_000,
      probeStepMs: 5,
      terminationLog: '/dev/null',
    },
    () => next,
  );
}

async function until(what: () => boolean): Promise<void> {
  while (!what()) await new Promise((resolve) => setTimeout(resolve, 10));
}

test('a client that stands still while records can be read is stuck, and the proof says what, where and how long', async () => {
  await log.append(3);
  next = 3;
  await until(() => direct.figures().read === 3);
  expect(direct.figures()).toMatchObject({ longestStuckMs: 0, stuckEvidence: [] });
  await log.append(4);
  await until(() => direct.stuckNow().length > 0);
  expect(direct.stuckNow()[0]).toMatch(
    /^partition 0: .* up to offset 7 by .*, the client stood at 3 for \d+ ms$/,
  );
  next = 7;
  await until(() => direct.stuckNow().length === 0);
  const { longestStuckMs, stuckEvidence } = direct.figures();
  expect(longestStuckMs).toBeGreaterThanOrEqual(1_000);
  expect(stuckEvidence).toHaveLength(1);
});

test('a client that waits for a cluster that serves nobody is not stuck', async () => {
  await log.append(3);
  next = 2;
  await until(() => direct.figures().read === 3);
  for (const broker of brokers) broker.error = 5;
  const before = brokers[1]?.asked ?? 0;
  // Asked each 10 ms: some 1.5 s.
  await until(() => (brokers[1]?.asked ?? 0) > before + 100);
  expect(direct.stuckNow()).toEqual([]);
  expect(direct.figures().longestStuckMs).toBe(0);
});

test('a change of the leader is followed and told', async () => {
  await log.append(1);
  await until(() => direct.figures().read === 1);
  const [old, other] = brokers;
  if (old) old.error = 6;
  if (other) other.error = 0;
  await log.append(1);
  await until(() => direct.figures().read === 2);
  expect(direct.figures().leaderChanges).toBe(1);
});

test.each([
  ['one partition', 1, 0],
  // Each has a fourth of what one has, and leaves out what is more than a rest's worth of it.
  ['each of four', 4, expect.any(Number)],
])('a fast stream is read by a sample that all partitions share: %s', async (_, partitions, leftOut) => {
  direct.stop();
  for (let batch = 0; batch < 80; batch++) await log.append(1_000);
  direct = started({ ...plainStream, partitions });
  const passed = () => direct.figures().read + (direct.figures().leftOut ?? 0);
  await until(() => passed() === partitions * 80_000);
  expect(direct.figures()).toMatchObject({ leftOut });
  expect(direct.figures().read < 80_000 * partitions).toBe(partitions > 1);
});
