import { EventEmitter } from 'node:events';
import type { Consumer } from 'kafkajs';
import { beforeEach, expect, test } from 'vitest';
import { type GroupRecorder, groupRecorder } from '../../src/kafka/group-recorder.ts';

const events = { REBALANCING: 'rebalancing', GROUP_JOIN: 'join', REQUEST: 'request' };
let time = 0;
let recorder: GroupRecorder;

beforeEach(() => {
  time = 0;
  recorder = groupRecorder(() => time);
});

/** A client that says what it is told to. */
function client() {
  const said = new EventEmitter();
  recorder.follow({ events, on: said.on.bind(said) } as unknown as Consumer);
  return {
    joins: (at: number, duration = 0) => {
      time = at;
      said.emit('join', { payload: { duration } });
    },
    isTold: (at: number) => {
      time = at;
      said.emit('rebalancing', { payload: {} });
    },
    asks: (apiName: string, broker: string) => said.emit('request', { payload: { apiName, broker } }),
  };
}

test('the first join of a client is no rebalance, a later one is, from its begin to the join', () => {
  const member = client();
  member.joins(100, 50);
  expect(recorder.figures()).toMatchObject({ rebalances: 0, rebalanceMs: 0 });
  member.isTold(1_000);
  member.isTold(1_100);
  member.joins(1_300);
  member.joins(2_000, 70);
  expect(recorder.figures()).toMatchObject({ rebalances: 2, rebalanceMs: 370, longestRebalanceMs: 300 });
});

test('a rebuilt client has a first join of its own', () => {
  client().joins(100);
  client().joins(200);
  expect(recorder.figures().rebalances).toBe(0);
});

test('the coordinator is who answers what only a coordinator answers', () => {
  const member = client();
  member.asks('Metadata', 'kafka-1:9092');
  member.asks('JoinGroup', 'kafka-0:9092');
  member.asks('Heartbeat', 'kafka-0:9092');
  member.asks('Fetch', 'kafka-2:9092');
  expect(recorder.figures()).toMatchObject({ coordinatorMoves: 0 });
  member.asks('Heartbeat', 'kafka-2:9092');
  expect(recorder.figures()).toMatchObject({ coordinatorMoves: 1 });
});

test('the group of a rebuilt client has a coordinator of its own: that is no move', () => {
  client().asks('JoinGroup', 'kafka-0:9092');
  const rebuilt = client();
  rebuilt.asks('JoinGroup', 'kafka-1:9092');
  expect(recorder.figures()).toMatchObject({ coordinatorMoves: 0 });
  rebuilt.asks('Heartbeat', 'kafka-2:9092');
  expect(recorder.figures()).toMatchObject({ coordinatorMoves: 1 });
});
