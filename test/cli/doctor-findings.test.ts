import { expect, test } from 'vitest';
import type { TemporalAccess } from '../../src/cli/connect-temporal.ts';
import {
  apiFindings,
  imageFindings,
  kafkaFindings,
  rightFindings,
} from '../../src/cli/doctor/cluster-findings.ts';
import type { Finding } from '../../src/cli/doctor/finding.ts';
import { attributeFindings } from '../../src/cli/doctor/temporal-findings.ts';
import { searchAttributes } from '../../src/experiment/search-attributes.ts';
import { fakeKafka, type Scene, scene } from '../activities/step-support.ts';
import { fakeKubernetes } from '../support/fake-kubernetes.ts';

/** What is amiss, and what to do about it: nothing is called bad without a next step. */
function amiss(findings: Finding[]): [string, string | undefined][] {
  return findings.filter(({ state }) => state !== 'ok').map(({ text, next }) => [text, next]);
}

async function kafka(settings: Record<string, string>, change: (at: Scene) => void = () => {}) {
  const at = await scene(fakeKafka(), { provision: { mode: 'existing' } });
  at.kafka.brokerConfig = async () => settings;
  change(at);
  return await kafkaFindings(at.deps, at.context.resolved.experiment);
}

const deletable = { 'delete.topic.enable': 'true' };

test('a Kafka that is well is counted, and says how it is reached', async () => {
  expect(await kafka(deletable)).toMatchObject([
    { state: 'ok', text: '3 of 3 brokers of kafka/kafka-kafka, reached directly' },
    { state: 'ok', text: 'delete.topic.enable=true' },
  ]);
});

test('topics that cannot be deleted are a warning with both ways out', async () => {
  expect(amiss(await kafka({ 'delete.topic.enable': 'false' }))).toEqual([
    [expect.stringContaining('stays'), expect.stringContaining('DELETE_TOPIC_ENABLE=true')],
  ]);
});

test('a namespace that is not there is made by a command that is given', async () => {
  const findings = await kafka(deletable, ({ kubernetes }) => kubernetes.objects.delete('Namespace kafka'));
  expect(amiss(findings)).toEqual([['namespace kafka does not exist', 'kubectl create namespace kafka']]);
});

test('rights that are missing are listed, with the roles that hold them', async () => {
  const at = await scene(fakeKafka());
  expect(amiss(await rightFindings(at.deps, at.context.resolved.experiment))).toEqual([]);
  at.kubernetes.denied.add('delete pods');
  const [finding] = await rightFindings(at.deps, at.context.resolved.experiment);
  expect(finding).toMatchObject({
    state: 'bad',
    evidence: ['delete pods in namespace kafka'],
    next: expect.stringContaining('deploy/kustomize/target'),
  });
});

test('a clock that is off is told by the API server’s', async () => {
  const kubernetes = fakeKubernetes();
  expect(amiss(await apiFindings(kubernetes))).toEqual([]);
  kubernetes.aheadMs = 60_000;
  await expect(apiFindings(kubernetes)).rejects.toMatchObject({ problem: { code: 'CLOCK_SKEWED' } });
});

test('an image is looked for on the nodes', async () => {
  const kubernetes = fakeKubernetes();
  await kubernetes.create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'a' } });
  expect(amiss(await imageFindings(kubernetes, 'i:1'))).toEqual([
    [expect.stringContaining('on no node yet'), expect.stringContaining('LEADERFALL_LIVENESS_IMAGE')],
  ]);
  const status = { images: [{ names: ['i:1'] }] };
  await kubernetes.create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'b' }, status });
  expect(await imageFindings(kubernetes, 'i:1')).toMatchObject([
    { state: 'ok', text: 'i:1 is on 1 of 2 nodes' },
  ]);
});

test('search attributes that are missing, or of another type, are named', async () => {
  const access = (customAttributes: object) =>
    ({
      namespace: 'default',
      connection: { operatorService: { listSearchAttributes: async () => ({ customAttributes }) } },
    }) as unknown as TemporalAccess;
  const [first = ''] = Object.keys(searchAttributes);
  expect(amiss(await attributeFindings(access({})))).toEqual([
    [expect.stringContaining(`not registered: ${first}`), 'leaderfall setup'],
  ]);
});
