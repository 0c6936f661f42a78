import { expect, test } from 'vitest';
import { runPermissions } from '../../src/activities/permissions.ts';
import { describePermission, makeResolve } from '../../src/activities/resolve.ts';
import { resolveExperiment } from '../../src/experiment/resolve.ts';
import { experimentSchema } from '../../src/experiment/spec.ts';
import { attempt, fakeKafka, refusal, scene } from './step-support.ts';

const input = {
  cluster: { namespace: 'kafka', sasl: { mechanism: 'PLAIN', secret: 'chaos' } },
} as const;
const permissions = runPermissions(resolveExperiment(experimentSchema.parse(input), { image: 'i' }));

test.each(permissions.map(describePermission))(
  'without %s a run says just that, and touches nothing',
  async (name) => {
    const at = await scene(fakeKafka());
    at.kubernetes.missingPermissions = async (wanted) =>
      wanted.filter((one) => describePermission(one) === name);
    const found = await refusal(attempt<unknown, unknown>(makeResolve(at.deps), input));
    expect(found).toMatchObject({ code: 'PERMISSION_MISSING', evidence: [name], retried: false });
    expect(at.kubernetes.writes).toEqual([]);
  },
);
