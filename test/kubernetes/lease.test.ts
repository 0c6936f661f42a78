import { expect, test } from 'vitest';
import { type ClaimRequest, hasLapsed, releaseClaim, takeClaim } from '../../src/kubernetes/lease.ts';
import { type FakeKubernetes, fakeKubernetes } from '../support/fake-kubernetes.ts';

function claim(
  kubernetes: FakeKubernetes,
  runId: string,
  overrides: Partial<ClaimRequest> = {},
): ClaimRequest {
  return {
    kubernetes,
    run: { temporalNamespace: 'default', workflowId: 'w', runId },
    namespace: 'kafka',
    statefulSet: 'kafka-kafka',
    durationSeconds: 600,
    expires: Date.now() + 600_000,
    isClosed: async () => false,
    ...overrides,
  };
}

function holder(kubernetes: FakeKubernetes): unknown {
  const lease = kubernetes.objects.get('Lease kafka/leaderfall-kafka-kafka');
  return (lease?.spec as { holderIdentity?: string } | undefined)?.holderIdentity;
}

test('the first run takes it, taking it again is taking it once', async () => {
  const kubernetes = fakeKubernetes();
  await takeClaim(claim(kubernetes, 'a'));
  await takeClaim(claim(kubernetes, 'a'));
  expect(holder(kubernetes)).toBe('default/w/a');
  expect(kubernetes.writes).toEqual(['create Lease kafka/leaderfall-kafka-kafka']);
});

test('a second run is refused and told who holds it', async () => {
  const kubernetes = fakeKubernetes();
  await takeClaim(claim(kubernetes, 'a'));
  await expect(takeClaim(claim(kubernetes, 'b'))).rejects.toMatchObject({
    problem: { code: 'CLUSTER_CLAIMED', retryable: false, message: expect.stringContaining('default/w/a') },
  });
  expect(holder(kubernetes)).toBe('default/w/a');
});

test('it is taken over from a run that is closed', async () => {
  const kubernetes = fakeKubernetes();
  await takeClaim(claim(kubernetes, 'a'));
  await takeClaim(claim(kubernetes, 'b', { isClosed: async (run) => run === 'default/w/a' }));
  expect(holder(kubernetes)).toBe('default/w/b');
});

test('a run of another Temporal server is told from a namesake, and whoever waits for it is told so', async () => {
  const kubernetes = fakeKubernetes();
  const of = (runId: string, temporalNamespaceId: string) => ({
    run: { temporalNamespace: 'default', workflowId: 'w', runId, temporalNamespaceId },
  });
  await takeClaim(claim(kubernetes, 'a', of('a', 'ann')));
  const asked: unknown[] = [];
  const isClosed = async (...holder: unknown[]) => {
    asked.push(holder);
    return false;
  };
  await expect(takeClaim(claim(kubernetes, 'b', { ...of('b', 'bob'), isClosed }))).rejects.toMatchObject({
    problem: {
      code: 'CLUSTER_CLAIMED',
      evidence: [
        'Lease kafka/leaderfall-kafka-kafka',
        expect.stringMatching(/another Temporal server \(namespace id ann\); its claim lapses 20/),
      ],
    },
  });
  expect(asked).toEqual([['default/w/a', 'ann']]);
  await expect(takeClaim(claim(kubernetes, 'c', of('c', 'ann')))).rejects.toMatchObject({
    problem: { evidence: ['Lease kafka/leaderfall-kafka-kafka'] },
  });
});

test('whoever gives it up leaves it to a run that takes it over in that moment', async () => {
  const kubernetes = fakeKubernetes();
  await takeClaim(claim(kubernetes, 'a'));
  const { remove } = kubernetes;
  kubernetes.remove = async (...request) => {
    await takeClaim(claim(kubernetes, 'b', { isClosed: async () => true }));
    return await remove(...request);
  };
  expect(await releaseClaim(claim(kubernetes, 'a'))).toBe(false);
  expect(holder(kubernetes)).toBe('default/w/b');
});

test('it is taken over when it has lapsed, whatever Temporal knows', async () => {
  const kubernetes = fakeKubernetes();
  await takeClaim(claim(kubernetes, 'a', { durationSeconds: -1 }));
  await takeClaim(claim(kubernetes, 'b'));
  expect(holder(kubernetes)).toBe('default/w/b');
});

test('of two runs that take over at once only one succeeds', async () => {
  const kubernetes = fakeKubernetes();
  await takeClaim(claim(kubernetes, 'dead'));
  const isClosed = async (run: string) => run === 'default/w/dead';
  const results = await Promise.allSettled([
    takeClaim(claim(kubernetes, 'b', { isClosed })),
    takeClaim(claim(kubernetes, 'c', { isClosed })),
  ]);
  expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
});

test('only its holder releases it', async () => {
  const kubernetes = fakeKubernetes();
  await takeClaim(claim(kubernetes, 'a'));
  expect(await releaseClaim(claim(kubernetes, 'b'))).toBe(false);
  expect(holder(kubernetes)).toBe('default/w/a');
  expect(await releaseClaim(claim(kubernetes, 'a'))).toBe(true);
  expect(kubernetes.objects.size).toBe(0);
});

test('a lease without times counts as lapsed', () => {
  expect(hasLapsed({ spec: {} }, 0)).toBe(true);
  const renewTime = new Date(1_000_000).toISOString();
  expect(hasLapsed({ spec: { renewTime, leaseDurationSeconds: 10 } }, 1_009_000)).toBe(false);
  expect(hasLapsed({ spec: { renewTime, leaseDurationSeconds: 10 } }, 1_011_000)).toBe(true);
});
