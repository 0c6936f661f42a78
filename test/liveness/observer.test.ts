import { afterEach, expect, test } from 'vitest';
import { plainStream } from '../../src/liveness/environment.ts';
import { type RunningObserver, startObserver } from '../../src/liveness/observer.ts';
import { leaderBroker } from '../support/leader-broker.ts';

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

/** A broker and an observer that has had its first answer. */
async function observing() {
  const broker = await leaderBroker();
  const observer = startObserver({
    role: 'observer',
    bootstrap: [broker.address],
    topic: 'stream',
    runId: 'r',
    rate: 1,
    stream: plainStream,
    replicationFactor: 1,
    minInsyncReplicas: 1,
    consumerTimeoutMs: 60_000,
    probeStepMs: 5,
    terminationLog: '/dev/null',
  });
  stops.push(
    () => observer.stop(),
    () => void broker.cut(),
  );
  await expect.poll(() => observer.report(0).samples).toBeGreaterThan(5);
  return { broker, observer };
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

test('a broker that ends its connections is gone, and back when it answers', async () => {
  const { broker, observer } = await observing();
  await broker.cut();
  await expect.poll(() => seen(observer, 'broker-gone')).toMatchObject([{ broker: 0 }]);
  await broker.listen();
  await expect.poll(() => seen(observer, 'broker-back'), { timeout: 5_000 }).toHaveLength(2);
});
