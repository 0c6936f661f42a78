import { expect, test } from 'vitest';
import { settingWarnings } from '../../src/cli/plan/setting-warnings.ts';
import { resolveExperiment } from '../../src/experiment/resolve.ts';
import { experimentSchema } from '../../src/experiment/spec.ts';

const experiment = (cluster: object) =>
  resolveExperiment(experimentSchema.parse({ cluster: { namespace: 'kafka', ...cluster } }), { image: 'i' });
const sasl = { mechanism: 'PLAIN', secret: 'chaos' };

test('settings that mean trouble are said, each by its name', () => {
  const settings = {
    'delete.topic.enable': 'false',
    'unclean.leader.election.enable': 'true',
    'connections.max.reauth.ms': '3600000',
  };
  expect(settingWarnings(settings, experiment({ sasl })).map((text) => text.split('=')[0])).toEqual(
    Object.keys(settings),
  );
});

test('Kafka’s own defaults, and settings that were not seen, mean none', () => {
  expect(settingWarnings({}, experiment({ sasl }))).toEqual([]);
  expect(settingWarnings({ 'connections.max.reauth.ms': '0' }, experiment({ sasl }))).toEqual([]);
});

test('connections without SASL have nothing to say anew', () => {
  expect(settingWarnings({ 'connections.max.reauth.ms': '1000' }, experiment({}))).toEqual([]);
});
