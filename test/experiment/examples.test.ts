import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseExperiment } from '../../src/experiment/parse.ts';
import { readExperimentText } from '../../src/experiment/read.ts';
import { plannedKills } from '../../src/experiment/schedule.ts';
import { experimentSchema } from '../../src/experiment/spec.ts';

const folder = new URL('../../examples/', import.meta.url);
const parsed = (name: string) =>
  parseExperiment(readExperimentText(readFileSync(new URL(name, folder), 'utf8'))).experiment;

describe('the examples', () => {
  it.each(readdirSync(folder).filter((name) => name.endsWith('.yaml')))(
    '%s names a victim and kills it',
    (name) => {
      const experiment = parsed(name);
      expect(experiment.cluster.namespace).toBeTruthy();
      expect(plannedKills(experiment.schedule)).toBeGreaterThan(0);
    },
  );

  it('show the ChaosEngine and our own shape saying the same', () => {
    const { name, schedule, liveness, ...own } = parsed('leader-failure.yaml');
    const { annotationCheck, ...engine } = parsed('kafka-chaos.yaml');
    const { minInsyncReplicas, ...stream } = liveness;
    expect({ ...engine.liveness, ratePerSecond: 100 }).toEqual(stream);
    expect(own.target).toEqual(engine.target);
    expect(plannedKills(schedule)).toBe(plannedKills(engine.schedule));
  });

  it('tell the default victim’s shape as the schema has it', () => {
    const { cluster, fault } = parsed('leader-failure.yaml');
    const defaults = experimentSchema.parse({});
    expect({ ...cluster, namespace: undefined }).toEqual({ ...defaults.cluster, namespace: undefined });
    expect(fault).toEqual(defaults.fault);
  });
});
