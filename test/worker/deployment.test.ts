import { expect, test } from 'vitest';
import { deploymentVersion } from '../../src/worker/deployment.ts';

test('a worker is unversioned unless it is told its deployment and its build', () => {
  expect(deploymentVersion({ TEMPORAL_ADDRESS: 'localhost:7233', TEMPORAL_DEPLOYMENT_NAME: '' })).toBe(
    undefined,
  );
  const env = { TEMPORAL_DEPLOYMENT_NAME: 'leaderfall', TEMPORAL_WORKER_BUILD_ID: '0.1.0-abc' };
  expect(deploymentVersion(env)).toEqual({ deploymentName: 'leaderfall', buildId: '0.1.0-abc' });
});

test.each([
  [
    { TEMPORAL_DEPLOYMENT_NAME: 'leaderfall' },
    ['TEMPORAL_WORKER_BUILD_ID: missing, though the other one is set'],
  ],
  [{ TEMPORAL_WORKER_BUILD_ID: '0.1.0' }, ['TEMPORAL_DEPLOYMENT_NAME: missing, though the other one is set']],
  [
    { TEMPORAL_DEPLOYMENT_NAME: 'leader.fall', TEMPORAL_WORKER_BUILD_ID: '0.1:0' },
    [
      'TEMPORAL_DEPLOYMENT_NAME: must have no dot, colon or space',
      'TEMPORAL_WORKER_BUILD_ID: must have no colon or space',
    ],
  ],
])('%j is refused, not taken for an unversioned worker', (env, evidence) => {
  expect(() => deploymentVersion(env)).toThrow(
    expect.objectContaining({
      problem: expect.objectContaining({ code: 'CONFIGURATION_INVALID', evidence }),
    }),
  );
});
