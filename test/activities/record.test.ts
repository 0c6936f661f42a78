import { expect, test, vi } from 'vitest';
import { makeRecord } from '../../src/activities/record.ts';
import { problem } from '../../src/experiment/errors.ts';
import type { ChaosResult } from '../../src/experiment/result.ts';
import { failedResult, passedResult } from '../report/example-result.ts';
import { attempt, fakeKafka, refusal, run, type Scene, scene } from './step-support.ts';

const event = (verdict: string) => `Event kafka/leaderfall-0000beef-${verdict}`;

/** A scene and a result of its run. */
async function ended(example: ChaosResult): Promise<{ at: Scene; result: ChaosResult }> {
  const at = await scene(fakeKafka());
  at.deps.log.warn = vi.fn();
  at.deps.cancelRun = vi.fn();
  return { at, result: { ...example, run } };
}

function record(at: Scene, result: ChaosResult, cancelRun = false) {
  const { resolved } = at.context;
  return attempt(makeRecord(at.deps), { result, resolved, cancelRun });
}

test('gives the result as it is and writes an Event on the StatefulSet, once', async () => {
  const { at, result } = await ended(failedResult());
  expect(await record(at, result)).toEqual(result);
  expect(await record(at, result)).toEqual(result);
  expect(at.kubernetes.writes).toEqual([`create ${event('fail')}`]);
  expect(at.kubernetes.objects.get(event('fail'))).toMatchObject({
    metadata: { labels: { 'leaderfall.io/run-id': run.runId } },
    type: 'Warning',
    reason: 'Fail',
    message: expect.stringContaining(result.reasons[0] ?? ''),
    involvedObject: { kind: 'StatefulSet', name: 'kafka-kafka', namespace: 'kafka' },
    lastTimestamp: result.endedAt,
  });
  expect(at.deps.cancelRun).not.toHaveBeenCalled();
});

test('an Event says of a Pass that all is normal, and never more than Kubernetes takes', async () => {
  const { at, result } = await ended(passedResult());
  await record(at, { ...result, reasons: ['x'.repeat(5_000)] });
  const written = at.kubernetes.objects.get(event('pass'));
  expect(written?.type).toBe('Normal');
  expect(String(written?.message).length).toBeLessThanOrEqual(1_024);
});

test('an Event that is refused is warned of, and the result is not lost for it', async () => {
  const { at, result } = await ended(passedResult());
  at.kubernetes.create = async () => {
    throw problem('KUBERNETES_REFUSED', 'create Event: forbidden');
  };
  expect(await record(at, result)).toEqual(result);
  expect(at.deps.log.warn).toHaveBeenCalledOnce();
});

test('a run that was refused before it had a target leaves no Event', async () => {
  const { at, result } = await ended(failedResult());
  expect(await attempt(makeRecord(at.deps), { result })).toEqual(result);
  expect(at.kubernetes.writes).toEqual([]);
});

test('a run that stopped itself is cancelled in Temporal, and that is tried until it is so', async () => {
  const { at, result } = await ended(failedResult());
  await record(at, result, true);
  expect(at.deps.cancelRun).toHaveBeenCalledExactlyOnceWith(run);
  at.deps.cancelRun = async () => {
    throw problem('TEMPORAL_UNREACHABLE', 'no answer', { retryable: true });
  };
  expect(await refusal(record(at, result, true))).toMatchObject({
    code: 'TEMPORAL_UNREACHABLE',
    retried: true,
  });
});

test('a run whose verdict its schedule names pauses it, and says so where that could not be done', async () => {
  const { at, result } = await ended(failedResult());
  const pause = { scheduleId: 'nightly', note: 'paused by leaderfall-1, which ended Fail' };
  at.deps.pauseSchedule = vi.fn();
  const ask = () => attempt(makeRecord(at.deps), { result, pause });
  expect(await ask()).toEqual(result);
  expect(at.deps.pauseSchedule).toHaveBeenCalledExactlyOnceWith(pause.scheduleId, pause.note);
  at.deps.pauseSchedule = async () => {
    throw problem('TEMPORAL_UNREACHABLE', 'no right to change schedules');
  };
  const { timeline, ...rest } = (await ask()) as ChaosResult;
  expect({ ...rest, timeline: timeline.slice(0, -1) }).toEqual(result);
  expect(timeline.at(-1)?.text).toBe(
    'schedule nightly is not paused, and goes on: no right to change schedules',
  );
});
