import { describe, expect, it } from 'vitest';
import { ackFloorMs, ackOutages, summedUp } from '../../src/liveness/ack-outages.ts';

const epoch = 1_000_000;
const meter = () => ackOutages(3, (at) => epoch + at);

describe('outages as the producer has them', () => {
  it('are none while acks come soon after their records are due, however rare these are', () => {
    const outages = meter();
    for (let due = 0; due < 10_000; due += 1_000) outages.acked(due + 5, due);
    expect(outages.list(10_000, undefined)).toEqual([]);
  });

  it('reach from the last ack before to the first after, with the errors in between', () => {
    const outages = meter();
    outages.acked(100, 95);
    outages.failed('ECONNREFUSED', 110);
    outages.paused(50);
    outages.failed('NOT_LEADER_FOR_PARTITION', 170);
    outages.failed('NOT_LEADER_FOR_PARTITION', 240);
    outages.rebuilt();
    outages.repeated(2, 30);
    outages.acked(600, 300);
    outages.acked(610, 605);
    expect(outages.list(620)).toEqual([
      {
        partition: 3,
        at: epoch + 100,
        ms: 500,
        errors: { ECONNREFUSED: 1, NOT_LEADER_FOR_PARTITION: 2 },
        failedSends: 3,
        retries: 2,
        backoffMs: 80,
        rebuilds: 1,
      },
    ]);
  });

  it('are there without an error where the ack of a due record was long in coming', () => {
    const outages = meter();
    outages.acked(100, 95);
    outages.acked(100 + ackFloorMs + 20, 110);
    expect(outages.list(300)).toMatchObject([{ ms: ackFloorMs + 20, failedSends: 0, errors: {} }]);
  });

  it('are open while they last, by errors or by a record that waits', () => {
    const outages = meter();
    outages.acked(100, 95);
    expect(outages.list(5_000, undefined)).toEqual([]);
    expect(outages.list(5_000, 200)).toMatchObject([{ at: epoch + 100, ms: 4_900, open: true }]);
    outages.failed('ETIMEDOUT', 200);
    expect(outages.list(250)).toMatchObject([{ ms: 150, open: true, errors: { ETIMEDOUT: 1 } }]);
  });

  it('begin with the first record that was due where nothing was ever acknowledged', () => {
    const outages = meter();
    outages.failed('ECONNREFUSED', 20);
    outages.failed('ECONNREFUSED', 80);
    outages.acked(400, 90);
    expect(outages.list(500)).toMatchObject([{ at: epoch + 20, ms: 380, failedSends: 2 }]);
  });

  it('are counted all, and told are the longest, in the order of time', () => {
    const outages = meter();
    let at = 0;
    let totalMs = 0;
    outages.acked(at, at);
    for (let length = 1; length <= 500; length++) {
      outages.failed('E', at);
      at += length;
      totalMs += length;
      outages.acked(at, at);
    }
    const sum = summedUp(outages.list(at), [outages.dropped]);
    expect(sum).toMatchObject({ count: 500, totalMs, maxMs: 500 });
    expect(sum.longest.map(({ ms }) => ms)).toEqual(Array.from({ length: 20 }, (_, index) => 481 + index));
  });

  it('are added up for each partition: the time of one death does not count once for every partition', () => {
    const partitions = [0, 1, 2].map((partition) => ackOutages(partition, (at) => epoch + at));
    for (const [partition, outages] of partitions.entries()) {
      outages.acked(0, 0);
      outages.acked(3_000 + partition, 100);
      outages.acked(9_000, 8_000 - partition);
    }
    const sum = summedUp(
      partitions.flatMap((outages) => outages.list(9_000)),
      partitions.map(({ dropped }) => dropped),
    );
    expect(sum).toMatchObject({ count: 6, totalMs: 9_000, worst: 0 });
    const gone = [5, 7].map((totalMs, partition) => ({ partition, count: 1, totalMs }));
    expect(summedUp([], gone)).toMatchObject({ count: 2, totalMs: 7, worst: 1 });
  });
});
