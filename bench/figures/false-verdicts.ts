import type { Figure } from '../figure.ts';

/** This Kafka survives the loss of any broker: every verdict but Pass is a false one. */
export const falseVerdicts: Figure = {
  id: 'false-verdicts',
  title: 'false verdicts',
  unit: '',
  aim: 0,
  litmus: '1 of 3 runs',
  measure: ({ result }) => [result?.verdict === 'Pass' ? 0 : 1],
};
