import { expect, it } from 'vitest';
import { sloTable } from '../../src/cli/plan/slo-table.ts';
import { resolveExperiment } from '../../src/experiment/resolve.ts';
import { sloIds, sloLimits } from '../../src/experiment/slo.ts';
import { experimentSchema } from '../../src/experiment/spec.ts';

it('shows every limit of a plan, and tells a default from what was written', () => {
  const experiment = experimentSchema.parse({
    cluster: { namespace: 'kafka' },
    slo: { timeToNewLeaderMs: 2_500, producerOutageMs: { max: 700 } },
  });
  const rows = sloTable(sloLimits(resolveExperiment(experiment, { image: 'i' })));
  expect(rows).toHaveLength(sloIds.length);
  expect(rows).toContainEqual(
    expect.stringMatching(/^acknowledged records lost +≤ 0 +default of slo\.lost$/),
  );
  expect(rows).toContainEqual(
    expect.stringMatching(/new leader +≤ 2\.5 s +as written in slo\.timeToNewLeaderMs$/),
  );
  // The default of all outages together follows the limit that was written for one.
  expect(rows).toContainEqual(
    expect.stringMatching(/together +≤ 2\.1 s +default of slo\.producerOutageMs\.total$/),
  );
});

it('says which of them ends the kills', () => {
  const experiment = experimentSchema.parse({
    cluster: { namespace: 'kafka' },
    abortOn: ['consumer-silence'],
  });
  const resolved = resolveExperiment(experiment, { image: 'i' });
  const rows = sloTable(sloLimits(resolved), resolved.abortOn);
  const ending = rows.filter((row) => row.endsWith('; no further kill as soon as it is broken'));
  expect(ending).toEqual([expect.stringMatching(/^longest silence at the consumer /)]);
});
