import { expect, test } from 'vitest';
import { makeAnnotate } from '../../src/activities/annotate.ts';
import { makeResolve } from '../../src/activities/resolve.ts';
import { attempt, claim, fakeKafka, refusal, run, type Scene, scene } from './step-support.ts';

function resolve(at: Scene) {
  return attempt<unknown, unknown>(makeResolve(at.deps), {
    cluster: { namespace: 'kafka' },
    reach: 'direct',
  });
}

test('an opt-in below the note of a run does not count: whose note it is is said, and how it goes', async () => {
  const at = await scene(fakeKafka());
  const key = 'StatefulSet kafka/kafka-kafka';
  const found = at.kubernetes.objects.get(key);
  at.kubernetes.objects.set(key, { ...found, metadata: { ...found?.metadata, annotations: {} } });
  const dead = { ...run, runId: 'dead' };
  const resolved = { ...at.context.resolved, run: dead, expires: Date.now() + 3_600_000 };
  const context = { ...at.context, resolved };
  await claim({ ...at, context });
  await attempt(makeAnnotate(at.deps), context);
  const annotations = at.kubernetes.objects.get(key)?.metadata?.annotations ?? {};
  // As a person does who follows the usual advice.
  annotations['litmuschaos.io/chaos'] = 'true';
  const annotate = 'kubectl -n kafka annotate statefulset kafka-kafka';
  const optIn = `${annotate} litmuschaos.io/chaos=true, or set annotationCheck: false`;
  const note = 'its note leaderfall.io/former-chaos-annotation: none stood there before';

  at.deps.runState = async () => 'over';
  expect(await refusal(resolve(at))).toMatchObject({
    code: 'TARGET_NOT_ANNOTATED',
    evidence: [
      'annotation litmuschaos.io/chaos is of the run default/w/dead, which ended without its clean-up (is closed or unknown to its Temporal)',
      note,
    ],
    next: `leaderfall janitor --once -n kafka, then ${optIn}`,
  });

  at.deps.runState = async () => 'running';
  expect(await refusal(resolve(at))).toMatchObject({
    evidence: ['annotation litmuschaos.io/chaos is of the run default/w/dead', note],
    next: `When that run has ended: leaderfall janitor --once -n kafka, then ${optIn}`,
  });

  delete annotations['leaderfall.io/owner'];
  annotations['leaderfall.io/former-chaos-annotation'] = '"false"';
  expect(await refusal(resolve(at))).toMatchObject({
    evidence: [
      expect.stringContaining('does not say its name'),
      'its note leaderfall.io/former-chaos-annotation: "false" stood there before',
    ],
    next: `${annotate} leaderfall.io/former-chaos-annotation-, then ${optIn}`,
  });
});
