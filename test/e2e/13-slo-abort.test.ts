import { expect, test } from 'vitest';
import { oneKill } from '../support/kafka.ts';
import { expectNothingLeft } from '../support/nothing-left.ts';
import { haveRoleWorker } from '../support/role-worker.ts';
import { brokerDeletions, runExperiment } from '../support/testbed.ts';

const taskQueue = 'e2e-slo-abort';
/** Without another replica the outage lasts until the broker is back, which no machine does in this time. */
const limitMs = 3_000;
haveRoleWorker(taskQueue);

test('a leader without another replica costs more than the experiment allows: one kill of three, Fail by that line, nothing left', async () => {
  const since = Date.now();
  const { result, stderr, code } = await runExperiment(
    {
      ...oneKill,
      liveness: { replicationFactor: 1 },
      guard: { allow: ['single-replica'] },
      schedule: { durationSeconds: 180, intervalSeconds: 60 },
      slo: { producerOutageMs: { max: limitMs } },
      abortOn: ['producer-outage-max'],
    },
    { taskQueue, workflowId: `e2e-slo-abort-${since}` },
  );
  if (!result?.injectingStopped?.broken) throw new Error(`not stopped: ${stderr.slice(-3_000)}`);
  const { at, broken } = result.injectingStopped;
  expect(broken).toMatchObject({ id: 'producer-outage-max', limit: limitMs });
  expect(code).toBe(1);
  expect(result.verdict).toBe('Fail');
  expect(result.reasons.join('\n')).toContain('it stopped the injecting (abortOn)');
  expect(result.kills.map(({ status }) => status)).toEqual(['proven', 'skipped', 'skipped']);
  expect(brokerDeletions(since)).toHaveLength(1);
  expect(Date.parse(result.endedAt)).toBeLessThan(Date.parse(result.kills[2]?.deadline ?? ''));
  await expectNothingLeft(result.run);
  // Pod and worker are on one machine, with one clock.
  const longest = result.stream?.producerOutages?.reduce((most, one) => (one.ms > most.ms ? one : most));
  // The p99 of an outage is not that of the records that came through it.
  expect(result.stream?.faultWindows?.unsent).toBeGreaterThan(0);
  const crossedAt = (longest?.at ?? Number.NaN) + limitMs;
  console.log(
    `limit crossed → seen ${broken.observedAt - crossedAt} ms, seen → no further kill ${at - broken.observedAt} ms; outage ${longest?.ms} ms`,
  );
});
