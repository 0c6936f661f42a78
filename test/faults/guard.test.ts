import { expect, test } from 'vitest';
import { changed, chooseBroker, guardReasons } from '../../src/faults/guard.ts';
import type { ClusterMetadata } from '../../src/kafka/port.ts';

function look(
  overrides: { leader?: number; isr?: number[]; brokers?: number[]; controller?: number } = {},
): ClusterMetadata {
  const { leader = 2, isr = [2, 0, 1], brokers = [0, 1, 2], controller = 1 } = overrides;
  return {
    at: 0,
    answeredBy: 0,
    clusterId: null,
    controller,
    brokers: brokers.map((id) => ({ id, host: '', port: 1 })),
    partitions: [{ topic: 't', partition: 0, leader, leaderEpoch: 1, replicas: [2, 0, 1], isr }],
  };
}

test('a whole partition and a whole cluster let a kill through', () => {
  expect(guardReasons(look(), [0, 1, 2], [])).toEqual([]);
});

test('a replica out of sync, a missing broker and a missing leader hold it back, each named', () => {
  expect(guardReasons(look({ isr: [2, 0] }), [0, 1, 2], [])).toEqual(['not in sync: broker 1']);
  expect(guardReasons(look({ brokers: [0, 2] }), [0, 1, 2], [])).toEqual(['down: broker 1']);
  expect(guardReasons(look({ leader: -1 }), [0, 1, 2], [])).toEqual(['the partition has no leader']);
});

test('what the experiment allows does not hold it back; a missing leader always does', () => {
  const allow = ['under-replicated', 'broker-down'] as const;
  expect(guardReasons(look({ isr: [2], brokers: [2] }), [0, 1, 2], allow)).toEqual([]);
  expect(guardReasons(look({ leader: -1, isr: [] }), [0, 1, 2], allow)).toEqual([
    'the partition has no leader',
  ]);
});

test('targets are what Kafka says, with ids that are no ordinals', () => {
  const metadata = look({
    leader: 1002,
    isr: [1002, 1000, 1001],
    brokers: [1000, 1001, 1002],
    controller: 1001,
  });
  expect(chooseBroker('leader', metadata, 0)).toEqual({ broker: 1002 });
  expect(chooseBroker('controller', metadata, 0)).toEqual({ broker: 1001 });
  expect(chooseBroker('follower', metadata, 0)).toEqual({ broker: 1000 });
  expect(chooseBroker('random', metadata, 0.99)).toEqual({ broker: 1002 });
  expect(chooseBroker({ broker: 1001 }, metadata, 0)).toEqual({ broker: 1001 });
  expect(chooseBroker({ broker: 1 }, metadata, 0)).toEqual({ reason: 'broker 1 is not in the metadata' });
});

test('nobody to hit is said, not guessed', () => {
  expect(chooseBroker('leader', look({ leader: -1 }), 0)).toHaveProperty('reason');
  expect(chooseBroker('controller', look({ controller: -1 }), 0)).toHaveProperty('reason');
  expect(chooseBroker('follower', look({ isr: [2] }), 0)).toHaveProperty('reason');
});

test('a target that moved is noticed', () => {
  expect(changed('leader', 2, look())).toBeUndefined();
  expect(changed('leader', 2, look({ leader: 0 }))).toContain('0');
  expect(changed('controller', 1, look({ controller: 2 }))).toContain('2');
  expect(changed('follower', 0, look({ leader: 0 }))).toContain('leads now');
  expect(changed({ broker: 0 }, 0, look({ leader: 0 }))).toBeUndefined();
});
