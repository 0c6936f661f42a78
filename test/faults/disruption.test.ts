import { expect, test } from 'vitest';
import { disruptions as disruptionsAt, type Surroundings } from '../../src/faults/disruption.ts';
import type { Pod } from '../../src/kubernetes/workloads.ts';

function pod(
  ordinal: number,
  { ready = true, terminating = false, labels = { app: 'kafka' }, since = '2026-01-01T00:59:30Z' } = {},
): Pod {
  return {
    metadata: {
      name: `kafka-${ordinal}`,
      labels,
      ...(terminating ? { deletionTimestamp: '2026-01-01T00:00:00Z' } : {}),
    },
    status: { conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: since }] },
  };
}

const now = Date.parse('2026-01-01T01:00:00Z');
const disruptions = (around: Surroundings, allow: Parameters<typeof disruptionsAt>[1]) =>
  disruptionsAt(around, allow, now);

const victim = pod(0);
const calm: Surroundings = { victim, pods: [victim, pod(1), pod(2)], budgets: [], nodes: [] };

function statefulSet(status: object, spec: object = {}): Surroundings['statefulSet'] {
  return {
    metadata: { name: 'kafka' },
    spec: { replicas: 3, ...spec },
    status: { currentRevision: 'a', ...status },
  };
}

function budget(
  currentHealthy: number,
  desiredHealthy: number,
  selector: object = { matchLabels: { app: 'kafka' } },
): Surroundings['budgets'][number] {
  return { metadata: { name: 'pdb' }, spec: { selector }, status: { currentHealthy, desiredHealthy } };
}

test('nothing is said of brokers that are left alone', () => {
  const settled = statefulSet({ updateRevision: 'a', updatedReplicas: 3 });
  const around = {
    ...calm,
    statefulSet: settled,
    budgets: [budget(3, 2)],
    nodes: [{ metadata: { name: 'n' } }],
  };
  expect(disruptions(around, [])).toEqual([]);
});

test('a broker pod that somebody else is deleting holds the kill, and nothing allows it', () => {
  const around = { ...calm, pods: [victim, pod(1), pod(2, { terminating: true })] };
  expect(disruptions(around, ['broker-down', 'rollout'])).toEqual(['pod kafka-2 is terminating']);
});

test('a rollout is the pods that the controller is about to replace', () => {
  const rolled = (status: object, spec = {}) =>
    disruptions({ ...calm, statefulSet: statefulSet({ updateRevision: 'b', ...status }, spec) }, []);
  expect(rolled({ updatedReplicas: 1 })).toEqual([
    'StatefulSet kafka is being rolled out: 1 of 3 pods (guard.allow: rollout)',
  ]);
  expect(rolled({})).toEqual(['StatefulSet kafka is being rolled out: 0 of 3 pods (guard.allow: rollout)']);
  expect(rolled({ updatedReplicas: 3 })).toEqual([]);
  expect(rolled({}, { updateStrategy: { type: 'OnDelete' } })).toEqual([]);
  const partition = (from: number) => ({ updateStrategy: { rollingUpdate: { partition: from } } });
  expect(rolled({ updatedReplicas: 1 }, partition(2))).toEqual([]);
  expect(rolled({ updatedReplicas: 1 }, partition(1))).toHaveLength(1);
});

test('a budget that spares no broker even when all are healthy holds the kill; one that waits for slow probes does not', () => {
  const said = 'PodDisruptionBudget pdb spares no pod: 3 healthy, 3 wanted (guard.allow: disruption-budget)';
  expect(disruptions({ ...calm, budgets: [budget(3, 3)] }, [])).toEqual([said]);
  const back = { ...calm, pods: [victim, pod(1), pod(2, { ready: false })] };
  expect(disruptions({ ...back, budgets: [budget(2, 2)] }, [])).toEqual([]);
  expect(disruptions({ ...back, budgets: [budget(2, 3)] }, [])).toEqual([said]);
});

test('only budgets that select the victim count', () => {
  const counts = (selector: object) =>
    disruptions({ ...calm, budgets: [budget(3, 3, selector)] }, []).length > 0;
  const expression = (operator: string, values?: string[]) => ({
    matchExpressions: [{ key: 'app', operator, ...(values ? { values } : {}) }],
  });
  expect(counts({})).toBe(true);
  expect(counts({ matchLabels: { app: 'zookeeper' } })).toBe(false);
  expect(counts(expression('In', ['kafka', 'other']))).toBe(true);
  expect(counts(expression('In', ['other']))).toBe(false);
  expect(counts(expression('NotIn', ['kafka']))).toBe(false);
  expect(counts(expression('NotIn', ['other']))).toBe(true);
  expect(counts(expression('Exists'))).toBe(true);
  expect(counts(expression('DoesNotExist'))).toBe(false);
});

test('a broker pod that has not been ready for more than a minute holds the kill, and counts for no budget', () => {
  const since = '2026-01-01T00:58:59Z';
  const long = { ...calm, pods: [victim, pod(1), pod(2, { ready: false, since })] };
  const said = 'pod kafka-2 has not been ready since 2026-01-01T00:58:59.000Z (guard.allow: unready-broker)';
  expect(disruptions(long, [])).toEqual([said]);
  expect(disruptions({ ...long, budgets: [budget(2, 2)] }, ['unready-broker'])).toEqual([
    expect.stringContaining('spares no pod: 2 healthy, 2 wanted'),
  ]);
  expect(disruptions({ ...calm, pods: [victim, pod(1), pod(2, { ready: false })] }, [])).toEqual([]);
});

test('a cordoned node could not take the broker back', () => {
  const around = { ...calm, nodes: [{ metadata: { name: 'node-1' }, spec: { unschedulable: true } }] };
  expect(disruptions(around, [])).toEqual(['node node-1 is cordoned (guard.allow: cordoned-node)']);
});

test('each word of guard.allow lets just its own condition be', () => {
  const around = {
    ...calm,
    statefulSet: statefulSet({ updateRevision: 'b' }),
    budgets: [budget(3, 3)],
    nodes: [{ metadata: { name: 'node-1' }, spec: { unschedulable: true } }],
    pods: [...calm.pods, pod(3, { ready: false, since: '2026-01-01T00:00:00Z' })],
  };
  const words = ['rollout', 'disruption-budget', 'cordoned-node', 'unready-broker'] as const;
  for (const word of words) {
    const left = disruptions(around, [word]);
    expect(left).toHaveLength(words.length - 1);
    expect(left.join()).not.toContain(word);
  }
  expect(disruptions(around, words)).toEqual([]);
});
