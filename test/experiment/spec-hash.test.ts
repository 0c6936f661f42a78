import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { specHashOf } from '../../src/activities/baseline.ts';
import { resolveExperiment } from '../../src/experiment/resolve.ts';
import { type ExperimentInput, experimentSchema } from '../../src/experiment/spec.ts';
import { canonicalJson, chaosText } from '../../src/experiment/spec-hash.ts';

const hashOf = (input: ExperimentInput, image = 'a:1') =>
  specHashOf(
    resolveExperiment(experimentSchema.parse({ cluster: { namespace: 'kafka' }, ...input }), { image }),
  );

describe('the digest of a spec', () => {
  it.each<[string, ExperimentInput]>([
    ['its name', { name: 'another' }],
    ['its limits', { slo: { lost: 5, regression: { fail: true } } }],
    ['how its image is pulled', { liveness: { image: 'b:2', imagePullPolicy: 'Always' } }],
    ['how the brokers are reached', { reach: 'direct' }],
    ['a default that is written out', { schedule: { durationSeconds: 60 } }],
  ])('does not change with %s', (_what, input) => {
    expect(hashOf(input)).toBe(hashOf({}));
  });

  it.each<[string, ExperimentInput]>([
    ['the victim', { cluster: { namespace: 'other' } }],
    ['the schedule', { schedule: { durationSeconds: 61 } }],
    ['the target', { target: 'follower' }],
    ['the pod of the target', { target: { pod: 'kafka-0' } }],
    ['the stream', { liveness: { ratePerSecond: 101 } }],
  ])('changes with %s', (_what, input) => {
    expect(hashOf(input)).not.toBe(hashOf({}));
  });

  it('does not change with the worker’s own image', () => {
    expect(hashOf({}, 'a:2')).toBe(hashOf({}, 'a:1'));
  });

  it('is short enough for a search attribute and fit for a query', () => {
    expect(hashOf({})).toMatch(/^[0-9a-f]{16}$/);
  });
});

describe('what an experiment does, wherever it is run', () => {
  const chaosOf = (input: ExperimentInput) => chaosText(experimentSchema.parse(input));

  it.each<[string, ExperimentInput]>([
    ['whose Kafka it is', { cluster: { namespace: 'other' }, provision: { mode: 'existing' } }],
    ['whether that has opted in', { annotationCheck: false }],
    ['what its environment is called', { environment: 'production' }],
    ['how it is judged', { slo: { lost: 5 }, abortOn: ['duplicates'] }],
    [
      'on which nodes the stream runs',
      { liveness: { nodeSelector: { pool: 'tools' }, tolerations: [{ key: 'tools', operator: 'Exists' }] } },
    ],
  ])('does not change with %s', (_what, input) => {
    expect(chaosOf(input)).toBe(chaosOf({}));
  });

  it.each<[string, ExperimentInput]>([
    ['the target', { target: 'follower' }],
    ['the stream', { liveness: { acks: 1 } }],
    ['the guard', { guard: { allow: ['under-replicated'] } }],
  ])('changes with %s', (_what, input) => {
    expect(chaosOf(input)).not.toBe(chaosOf({}));
  });
});

describe('canonical JSON', () => {
  it('does not know the order in which keys were written, and loses nothing', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const turned = Object.fromEntries(Object.entries(value).reverse());
        expect(canonicalJson(turned)).toBe(canonicalJson(value));
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });
});
