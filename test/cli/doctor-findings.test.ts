import { expect, test } from 'vitest';
import type { TemporalAccess } from '../../src/cli/connect-temporal.ts';
import {
  apiFindings,
  imageFindings,
  kafkaFindings,
  rightFindings,
} from '../../src/cli/doctor/cluster-findings.ts';
import { type Finding, look } from '../../src/cli/doctor/finding.ts';
import { attributeFindings, workerFindings } from '../../src/cli/doctor/temporal-findings.ts';
import { searchAttributes } from '../../src/experiment/search-attributes.ts';
import { balance, fakeKafka, type Scene, scene, settle } from '../activities/step-support.ts';
import { packageFolder, part } from '../provisioners/kudo-support.ts';
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

test('what a run would refuse of the brokers is found before', async () => {
  const settings = { ...deletable, 'process.roles': 'broker,controller' };
  const refused = kafka(settings, (at) => {
    at.context.resolved.experiment.target = 'controller';
  });
  await expect(refused).rejects.toMatchObject({
    problem: { evidence: expect.arrayContaining(['target: controller']) },
  });
});

test('a pod that is none of the StatefulSet’s is found before, too', async () => {
  const refused = kafka(deletable, (at) => {
    at.context.resolved.experiment.target = { pod: 'zookeeper-0' };
  });
  await expect(refused).rejects.toMatchObject({
    problem: { code: 'TARGET_NOT_FOUND', evidence: expect.arrayContaining(['target.pod']) },
  });
});

test('so are a broker that is none of them, and brokers that no rule ties to pods', async () => {
  const refused = (change: (at: Scene) => void) => look('Kafka', async () => await kafka(deletable, change));
  const nobody = await refused((at) => {
    at.context.resolved.experiment.target = { broker: 1 };
  });
  expect(nobody).toMatchObject([{ state: 'bad', text: expect.stringContaining('TARGET_NOT_FOUND') }]);
  const unmapped = await refused((at) => {
    settle(at);
    balance(at);
  });
  expect(amiss(unmapped)).toEqual([
    [expect.stringContaining('BROKER_UNMAPPED'), expect.stringContaining('cluster.brokerPod')],
  ]);
});

async function kudo(kafka: object, change: (at: Scene) => void = () => {}) {
  const zookeeper = { package: packageFolder('zookeeper') };
  const provision = {
    mode: 'kudo' as const,
    zookeeper,
    kafka: { package: packageFolder('kafka'), ...kafka },
  };
  const at = await scene(fakeKafka(), { provision });
  change(at);
  return await look('Kafka', () => kafkaFindings(at.deps, at.context.resolved.experiment));
}

test('a Kafka that is yet to be made is looked at as a run would: its packages, its size, what is in its place', async () => {
  expect(await kudo({})).toMatchObject([
    { state: 'ok', evidence: expect.arrayContaining([expect.stringMatching(/^KUDO package kafka /)]) },
  ]);
  expect(await kudo({ package: '/nowhere' })).toMatchObject([
    { state: 'bad', text: expect.stringContaining('PACKAGE_INVALID') },
  ]);
  expect(await kudo({ parameters: { BROKER_COUNT: '2' } })).toMatchObject([
    { state: 'bad', text: expect.stringContaining('REPLICATION_IMPOSSIBLE') },
  ]);
  const former = (at: Scene) => part(at.kubernetes, 'PersistentVolumeClaim', 'data-0', 'kafka');
  expect(await kudo({}, former)).toMatchObject([
    { state: 'bad', text: expect.stringContaining('VOLUMES_REMAIN') },
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
    next: expect.stringContaining('docs/worker.md'),
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
  const status = { images: [{ names: ['docker.io/library/i:1'] }] };
  await kubernetes.create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'b' }, status });
  for (const name of ['i:1', 'docker.io/library/i:1']) {
    expect(await imageFindings(kubernetes, name)).toMatchObject([
      { state: 'ok', text: `${name} is on 1 of 2 nodes` },
    ]);
  }
  for (const name of ['i', 'other.org/library/i:1', 'docker.io/leaderfall/i:1'])
    expect(await imageFindings(kubernetes, name)).toMatchObject([{ state: 'warning' }]);
});

test('a build whose workers are gone is not there, though Temporal lists them for some minutes', async () => {
  const version = (buildId: string) => ({ deploymentName: 'leaderfall', buildId });
  const poller = (buildId: string, secondsAgo: number) => ({
    identity: buildId,
    lastAccessTime: { seconds: Math.floor(Date.now() / 1_000) - secondsAgo },
    deploymentOptions: { ...version(buildId), workerVersioningMode: 2 },
  });
  const findings = (...pollers: object[]) => {
    const answer = { pollers, versioningInfo: { currentDeploymentVersion: version('old') } };
    return workerFindings(
      {
        namespace: 'default',
        client: { workflowService: { describeTaskQueue: async () => answer } },
        connection: { withDeadline: (_at: number, act: () => Promise<unknown>) => act() },
      } as unknown as TemporalAccess,
      'leaderfall',
    );
  };
  expect(amiss(await findings(poller('old', 5), poller('new', 5)))).toEqual([]);
  expect(amiss(await findings(poller('old', 120), poller('new', 5)))).toEqual([
    [
      'new runs go to build old of deployment leaderfall, and there are only: build new of deployment leaderfall',
      expect.stringContaining('set-current-version'),
    ],
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
