import { expect, test } from 'vitest';
import { anomalyKinds, type Delivery, exampleText, permittedBy } from '../../src/experiment/anomalies.ts';

const strict: Delivery = {
  acks: 'all',
  idempotent: true,
  retries: true,
  maxInFlight: 5,
  uncleanElection: false,
};

function permitted(delivery: Delivery): string[] {
  return anomalyKinds.filter((kind) => permittedBy(kind, delivery) !== undefined);
}

test('the strictest settings permit no more than a send without an answer', () => {
  expect(permitted(strict)).toEqual(['unknown-seen', 'unknown-unseen']);
});

test.for([0, 1] as const)('acks=%i may lose what only the leader had', (acks) => {
  expect(permitted({ ...strict, acks })).toEqual(['lost', 'truncated', 'unknown-seen', 'unknown-unseen']);
  expect(permittedBy('lost', { ...strict, acks })).toContain(`acks=${acks}`);
});

test('an unclean election takes back what was acknowledged and read', () => {
  const kinds = permitted({ ...strict, uncleanElection: true });
  expect(kinds).toEqual(['lost', 'truncated', 'stale', 'unknown-seen', 'unknown-unseen']);
});

test('without idempotence a repeated send may double, and with several in flight overtake', () => {
  expect(permitted({ ...strict, idempotent: false })).toContain('reordered');
  expect(permitted({ ...strict, idempotent: false, maxInFlight: 1 })).toContain('duplicated');
  expect(permitted({ ...strict, idempotent: false, maxInFlight: 1 })).not.toContain('reordered');
  expect(permitted({ ...strict, idempotent: false, retries: false })).not.toContain('duplicated');
});

test('an example reads as one line', () => {
  expect(exampleText({ partition: 0, producer: 1, sequence: 17, offset: 23, detail: 'also at 20' })).toBe(
    'partition 0, producer 1, sequence 17, offset 23, also at 20',
  );
});
