import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { janitorPermissions, runPermissions } from '../../src/activities/permissions.ts';
import { describePermission } from '../../src/activities/resolve.ts';
import { resolveExperiment } from '../../src/experiment/resolve.ts';
import { experimentSchema } from '../../src/experiment/spec.ts';
import { connectKubernetes } from '../../src/kubernetes/connect-kubernetes.ts';
import type { KubernetesObject } from '../../src/kubernetes/port.ts';
import { connectRest } from '../../src/kubernetes/rest.ts';
import { makeCertificate } from '../../src/provisioners/kudo/certificate.ts';
import { historyText } from '../support/history-text.ts';
import { ensureSecuredKafka, oneKill } from '../support/kafka.ts';
import { expectNothingLeft } from '../support/nothing-left.ts';
import { kubeconfigOf, startRoleWorker } from '../support/rights.ts';
import { makeSecret, securePort, secureSecret, secureValue } from '../support/secure-listener.ts';
import {
  cluster,
  eventually,
  experimentFile,
  leaderfall,
  runExperiment,
  type WorkerProcess,
} from '../support/testbed.ts';

const taskQueue = 'e2e-secured';
const tls = { caSecret: secureSecret };
const sasl = { mechanism: 'SCRAM-SHA-512', secret: secureSecret } as const;
const secured = { namespace: 'kafka', port: securePort, tls, sasl };
let kubeconfig: string;
let worker: WorkerProcess;

beforeAll(async () => {
  await ensureSecuredKafka();
  kubeconfig = await kubeconfigOf('leaderfall', 'leaderfall-worker');
  // Just the rights that deploy/ gives to a worker that attacks this Kafka.
  worker = await startRoleWorker(taskQueue, ['target', 'credentials'], { KUBECONFIG: kubeconfig });
  const wrong = { username: Buffer.from(await secureValue('username')), password: Buffer.from('wrong') };
  await makeSecret('wrong-password', wrong);
  await makeSecret('other-ca', { 'ca.crt': Buffer.from((await makeCertificate('other')).authority) });
});

afterAll(async () => {
  await worker.stop();
  for (const name of ['wrong-password', 'other-ca']) {
    await cluster.remove({ apiVersion: 'v1', kind: 'Secret', namespace: 'kafka', name });
  }
});

/** What nobody may find anywhere: credentials, the worker's token, and where brokers live. */
async function canaries(): Promise<string[]> {
  const { users } = JSON.parse(readFileSync(kubeconfig, 'utf8')) as { users: { user: { token: string } }[] };
  const pods = await cluster.list<KubernetesObject & { status?: { podIP?: string } }>(
    { apiVersion: 'v1', kind: 'Pod', namespace: 'kafka' },
    { label: 'app=kafka' },
  );
  return [
    await secureValue('password'),
    await secureValue('username'),
    await secureValue('keystore.password'),
    users[0]?.user.token ?? '',
    'kafka-svc.kafka.svc',
    ...pods.items.map(({ status }) => status?.podIP ?? ''),
  ];
}

test('a whole run over SASL_SSL under the roles of deploy/: Pass, and credentials and hosts are nowhere to be found', async () => {
  const before = await canaries();
  const workflowId = `e2e-secured-${Date.now()}`;
  const experiment = { ...oneKill, cluster: secured };
  const { result, stderr, stdout } = await runExperiment(experiment, { taskQueue, workflowId });
  expect(result?.verdict, `${result?.reasons.join('\n')}\n${stderr.slice(-3_000)}`).toBe('Pass');
  expect(result?.stream?.acked).toBeGreaterThan(0);
  expect(result?.stream?.lost).toBe(0);
  if (result) await expectNothingLeft(result.run);
  const reports = await Promise.all(
    ['--json', '--html', '--md', '--junit'].map((format) => leaderfall(['report', workflowId, format])),
  );
  const places = {
    command: stdout + stderr,
    history: await historyText(workflowId),
    log: readFileSync(worker.log, 'utf8'),
    reports: reports.map((report) => report.stdout).join('\n'),
  };
  for (const text of Object.values(places)) expect(text.length).toBeGreaterThan(500);
  for (const [place, text] of Object.entries(places)) {
    for (const canary of [...new Set([...before, ...(await canaries())])].filter(Boolean)) {
      expect(text.includes(canary), `${canary} in ${place}`).toBe(false);
    }
  }
});

test('PLAIN over TLS: plan reaches the brokers and finds nothing wrong', async () => {
  const cluster = { ...secured, sasl: { ...sasl, mechanism: 'PLAIN' } };
  const end = await leaderfall(['plan', '-f', experimentFile({ ...oneKill, cluster })]);
  expect(end.code, end.stderr).toBe(0);
});

test.each([
  [
    'a wrong password',
    { ...secured, sasl: { ...sasl, secret: 'wrong-password' } },
    /AUTHENTICATION_FAILED|password/,
    'cluster.sasl.secret',
  ],
  [
    'another authority',
    { ...secured, tls: { caSecret: 'other-ca' } },
    /not signed by/,
    'cluster.tls.caSecret',
  ],
  ['the plain listener', { ...secured, port: 9092 }, /TLS/, 'cluster.port'],
])('%s: plan says so with the field', async (_, cluster, message, field) => {
  const end = await leaderfall(['plan', '-f', experimentFile({ ...oneKill, cluster })]);
  expect(end.code).not.toBe(0);
  expect(end.stderr).toMatch(message);
  expect(end.stderr).toContain(field);
});

const rolePath = '/apis/rbac.authorization.k8s.io/v1/namespaces/kafka/roles/leaderfall-target';

async function targetRole(): Promise<{ rules: Rule[] }> {
  const { body } = await connectRest().send({ method: 'GET', path: rolePath });
  return JSON.parse(body) as { rules: Rule[] };
}

async function allow(rules: Rule[]): Promise<void> {
  const body = { ...(await targetRole()), rules };
  const { status } = await connectRest().send({ method: 'PUT', path: rolePath, body });
  expect(status).toBe(200);
}

test('each right that is taken out of the role is missed by its name', async () => {
  const input = experimentSchema.parse({ cluster: secured, provision: { mode: 'existing' } });
  const declared = [
    ...runPermissions(resolveExperiment(input, { image: 'i' })),
    ...janitorPermissions('kafka'),
  ];
  const permissions = [...new Map(declared.map((one) => [describePermission(one), one])).values()];
  const asWorker = connectKubernetes({ kubeconfig });
  const missed = async () => (await asWorker.missingPermissions(permissions)).map(describePermission);
  expect(await missed()).toEqual([]);
  const whole = (await targetRole()).rules;
  try {
    for (const [at, { verbs, resources, apiGroups }] of whole.entries()) {
      for (const verb of verbs) {
        const others = whole.map((rule, index) =>
          index === at ? { ...rule, verbs: verbs.filter((other) => other !== verb) } : rule,
        );
        await allow(others.filter((rule) => rule.verbs.length > 0));
        const group = apiGroups[0] === '' ? '' : `.${apiGroups[0]}`;
        const names = resources.map((resource) => `${verb} ${resource}${group} in namespace kafka`);
        await eventually(`without ${names.join(', ')} just these are missed`, 20, async () => {
          const now = await missed();
          return now.length === names.length && names.every((name) => now.includes(name));
        });
      }
    }
  } finally {
    await allow(whole);
  }
});

interface Rule {
  apiGroups: string[];
  resources: string[];
  verbs: string[];
}
