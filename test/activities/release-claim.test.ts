import { expect, test } from 'vitest';
import { makeReleaseClaim } from '../../src/activities/release-claim.ts';
import { attempt, claim, fakeKafka, refusal, run, scene } from './step-support.ts';

const lease = 'Lease kafka/leaderfall-kafka-kafka';
const input = { cluster: { namespace: 'kafka' } };

async function claimed(by = run) {
  const at = await scene(fakeKafka());
  await claim({ ...at, context: { ...at.context, resolved: { ...at.context.resolved, run: by } } });
  at.kubernetes.writes.length = 0;
  return at;
}

test('the claim of a run is given up, in the namespace of its input or of the worker’s default target; twice is once', async () => {
  for (const asked of [input, {}]) {
    const at = await claimed();
    at.deps.defaults = { image: 'i', target: { namespace: 'kafka' } };
    const release = () => attempt(makeReleaseClaim(at.deps), { input: asked });
    expect(await release()).toEqual({ leftovers: [], done: ['claim released'] });
    expect(at.kubernetes.objects.has(lease)).toBe(false);
    expect(await release()).toEqual({ leftovers: [], done: [] });
  }
});

test('that of another run stays', async () => {
  const at = await claimed({ ...run, runId: 'another' });
  expect(await attempt(makeReleaseClaim(at.deps), { input })).toEqual({ leftovers: [], done: [] });
  // It took over what this run had taken, and somebody has written our label on it.
  Object.assign(at.kubernetes.objects.get(lease)?.metadata?.labels ?? {}, {
    'leaderfall.io/run-id': run.runId,
  });
  expect(await attempt(makeReleaseClaim(at.deps), { input })).toEqual({ leftovers: [], done: [] });
  expect(at.kubernetes.writes).toEqual([]);
});

test('an input that cannot be read has claimed nothing; a cluster that does not answer is asked again', async () => {
  const at = await claimed();
  at.kubernetes.list = () => Promise.reject(new Error('no answer'));
  const nothing = { leftovers: [], done: [] };
  expect(await attempt(makeReleaseClaim(at.deps), { input: { clutser: {} } })).toEqual(nothing);
  expect(await refusal(attempt(makeReleaseClaim(at.deps), { input }))).toMatchObject({ retried: true });
});
