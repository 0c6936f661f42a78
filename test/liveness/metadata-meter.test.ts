import { beforeEach, describe, expect, it } from 'vitest';
import { type MetadataMeter, metadataMeter } from '../../src/liveness/metadata-meter.ts';

let meter: MetadataMeter;
beforeEach(() => {
  meter = metadataMeter();
});

interface Look {
  leader?: number;
  epoch?: number;
  isr?: number[];
  partition?: number;
  /** Broker that answers; default the leader. */
  by?: number;
  controller?: number;
}

function look(
  at: number,
  { leader = 1, epoch = 0, isr = [0, 1, 2], partition = 0, by, controller = 0 }: Look,
): void {
  const found = { topic: 't', partition, leader, leaderEpoch: epoch, replicas: [0, 1, 2], isr };
  meter.saw(at, [found], controller, (id) => id === (by ?? leader));
}

describe('what metadata shows', () => {
  it('is nothing while nothing changes', () => {
    for (let at = 0; at < 100; at += 10) look(at, {});
    expect(meter.figures(100)).toEqual({
      leaderlessMs: 0,
      leaderlessCount: 0,
      leaderChanges: 0,
      controllerChanges: 0,
      underReplicatedSeconds: 0,
      ...{ shrinkCount: 0, longestShrunkMs: 0, openShrinks: 0 },
      shrinks: [],
    });
    expect(meter.leaders(0)).toEqual([{ partition: 0, at: 0, leader: 1 }]);
  });

  it('is the time without a leader, also while it lasts', () => {
    look(0, {});
    look(100, { leader: -1, epoch: 1 });
    expect(meter.figures(150)).toMatchObject({ leaderlessMs: 50, leaderlessCount: 1, leaderChanges: 0 });
    look(300, { leader: 2, epoch: 2 });
    expect(meter.figures(900)).toMatchObject({ leaderlessMs: 200, leaderlessCount: 1, leaderChanges: 1 });
    expect(meter.leaders(250)).toEqual([{ partition: 0, at: 300, leader: 2 }]);
  });

  it('is how often and how long the ISR was not full, also of what is not told one by one', () => {
    for (let at = 0; at < 50_000; at += 1_000) {
      look(at, {});
      look(at + 100, { isr: [1, 2] });
      look(at + 200 + at / 100, {});
    }
    const { shrinks, ...figures } = meter.figures(50_000);
    expect(figures).toMatchObject({ shrinkCount: 50, longestShrunkMs: 590, openShrinks: 0 });
    expect(shrinks).toHaveLength(40);
    look(51_000, { isr: [1, 2] });
    expect(meter.figures(61_000)).toMatchObject({
      ...{ shrinkCount: 51, longestShrunkMs: 10_000, openShrinks: 1 },
    });
  });

  it('is when the ISR shrank and was full again, in partition-seconds over all partitions', () => {
    look(0, { partition: 0 });
    look(0, { partition: 1 });
    look(1_000, { partition: 0, isr: [1, 2] });
    look(2_000, { partition: 0, isr: [1] });
    look(2_000, { partition: 1, isr: [1, 2] });
    look(5_000, { partition: 0 });
    expect(meter.figures(6_000)).toMatchObject({
      underReplicatedSeconds: 8,
      shrinks: [
        { partition: 0, at: 1_000, fullAt: 5_000, least: 1 },
        { partition: 1, at: 2_000, least: 2 },
      ],
    });
  });

  it('is the leader’s word on the ISR alone, and nobody’s of an epoch that is over', () => {
    look(0, { epoch: 3 });
    look(10, { epoch: 3, isr: [1], by: 2 });
    look(20, { epoch: 2, isr: [0], leader: 0 });
    expect(meter.figures(1_000)).toMatchObject({ underReplicatedSeconds: 0, leaderChanges: 0 });
    look(30, { epoch: 4, leader: 2, isr: [1, 2], by: 0 });
    expect(meter.figures(1_030)).toMatchObject({ underReplicatedSeconds: 1, leaderChanges: 1 });
  });

  it('is a change of the controller, but not that one is not known', () => {
    for (const [at, controller] of [0, -1, 0, 2, 2].entries()) look(at, { controller });
    expect(meter.figures(10).controllerChanges).toBe(1);
  });
});
