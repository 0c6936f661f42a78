import { describe, expect, it } from 'vitest';
import { parseExperiment } from '../../src/experiment/parse.ts';
import { problemOf } from './problem-of.ts';

const issues = (liveness: object) => problemOf(() => parseExperiment({ liveness })).evidence ?? [];

describe('the options of the stream', () => {
  it('are acks=all, no key and no compression to one partition unless said otherwise', () => {
    expect(parseExperiment({}).experiment.liveness).toMatchObject({
      ratePerSecond: 100,
      recordBytes: 128,
      partitions: 1,
      keys: 0,
      acks: 'all',
      idempotent: false,
      compression: 'none',
      lingerMs: 10,
    });
  });

  it.each([
    [{ ratePerSecond: 0.5 }, 'liveness.ratePerSecond: '],
    [{ recordBytes: 10 }, 'liveness.recordBytes: '],
    [{ recordBytes: 2_000_000 }, 'liveness.recordBytes: '],
    [{ partitions: 0 }, 'liveness.partitions: '],
    [{ acks: 2 }, 'liveness.acks: must be 0, 1 or all'],
    [{ compression: 'snappy' }, 'liveness.compression: must be none or gzip; kafkajs has no other built in'],
    [{ lingerMs: 5_000 }, 'liveness.lingerMs: '],
  ])('name the field where a value is none: %o', (liveness, issue) => {
    const [first, ...others] = issues(liveness);
    expect(first).toContain(issue);
    expect(others).toEqual([]);
  });

  it.each([
    [{ idempotent: true, acks: 1 }, 'liveness.idempotent: needs liveness.acks "all", which is 1'],
    [
      { acks: 0, minInsyncReplicas: 2 },
      'liveness.minInsyncReplicas: 2 binds only sends with liveness.acks "all", which is 0',
    ],
    [
      { replicationFactor: 2, minInsyncReplicas: 3 },
      'liveness.minInsyncReplicas: 3 is more than liveness.replicationFactor, 2',
    ],
    [
      { partitions: 3, keys: 2 },
      'liveness.keys: 2 keys leave some of liveness.partitions, 3, without records',
    ],
    [
      { partitions: 64, ratePerSecond: 10, consumerTimeoutMs: 2_000 },
      'liveness.ratePerSecond: 10 gives each of liveness.partitions, 64, a record every 6400 ms, which is more than liveness.consumerTimeoutMs, 2000',
    ],
  ])('name the field where two do not go together: %o', (liveness, issue) => {
    expect(issues(liveness)).toEqual([issue]);
  });

  it.each([
    { idempotent: true, acks: 'all' },
    { acks: 0 },
    { partitions: 20, ratePerSecond: 10, consumerTimeoutMs: 2_000 },
    { acks: 1, minInsyncReplicas: 1, replicationFactor: 2 },
    { partitions: 3, keys: 3, compression: 'gzip', lingerMs: 0, ratePerSecond: 1, recordBytes: 1_000 },
  ])('are taken as they are where they go together: %o', (liveness) => {
    expect(parseExperiment({ liveness }).experiment.liveness).toMatchObject(liveness);
  });
});
