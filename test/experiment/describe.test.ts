import { expect, test } from 'vitest';
import { detailsOf, summaryOf, whatText } from '../../src/experiment/describe.ts';
import { type ExperimentInput, experimentSchema } from '../../src/experiment/spec.ts';

const experiment = (target: ExperimentInput['target']) =>
  experimentSchema.parse({ cluster: { namespace: 'kafka' }, target });

test.each([
  ['leader', 'the leader'],
  [{ broker: 1002 }, 'broker 1002'],
  [{ pod: 'kafka-kafka-1' }, 'pod kafka-kafka-1'],
] as const)('whom %j is stands in the summary, the details and the report', (target, whom) => {
  expect(summaryOf(experiment(target))).toBe(`3 × ${whom} of Kafka in kafka`);
  expect(detailsOf(experiment(target))).toContain(`3 times delete of ${whom}, one every 20 s`);
  expect(whatText(experiment(target), 1)).toBe(`1 times delete of ${whom}`);
});
