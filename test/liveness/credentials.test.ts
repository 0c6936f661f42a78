import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { withoutSecrets } from '../../src/experiment/held-secrets.ts';
import { resolveExperiment } from '../../src/experiment/resolve.ts';
import { experimentSchema } from '../../src/experiment/spec.ts';
import { credentialsFolder, withCredentials } from '../../src/liveness/credentials.ts';
import { plainStream, readSettings } from '../../src/liveness/environment.ts';
import { startObserver } from '../../src/liveness/observer.ts';
import { livenessPod } from '../../src/liveness/pod.ts';
import { makeCertificate } from '../../src/provisioners/kudo/certificate.ts';
import { leaderBroker } from '../support/leader-broker.ts';
import { secureBroker } from '../support/secure-broker.ts';

const security = {
  tls: { caSecret: 'cluster-ca', clientSecret: 'chaos', certificateKey: 'tls.crt', privateKeyKey: 'tls.key' },
  sasl: { mechanism: 'SCRAM-SHA-256', secret: 'chaos' },
} as const;

function podOf(cluster: object) {
  const experiment = resolveExperiment(
    experimentSchema.parse({ cluster: { namespace: 'kafka', ...cluster } }),
    { image: 'i' },
  );
  const run = { temporalNamespace: 'default', workflowId: 'w', runId: '0123456789abcdef' };
  const pod = livenessPod({ experiment, run, bootstrap: ['a:9092'], expires: 2, now: 1, brokerLabels: {} });
  return pod.spec as {
    volumes: { name: string; projected?: { sources: unknown[] } }[];
    initContainers: Container[];
    containers: Container[];
  };
}

interface Container {
  env: { name: string; value: string }[];
  volumeMounts: { name: string }[];
}

test('the pod mounts just the keys that are named, read-only, in every container', () => {
  const { volumes, initContainers, containers } = podOf(security);
  const source = (name: string, key: string, path: string) => ({ secret: { name, items: [{ key, path }] } });
  expect(volumes.find(({ name }) => name === 'credentials')?.projected?.sources).toEqual([
    source('cluster-ca', 'ca.crt', 'ca.crt'),
    source('chaos', 'tls.crt', 'user.crt'),
    source('chaos', 'tls.key', 'user.key'),
    { secret: { ...source('chaos', 'username', 'username').secret, optional: true } },
    source('chaos', 'password', 'password'),
  ]);
  for (const { volumeMounts } of [...initContainers, ...containers]) {
    expect(volumeMounts).toContainEqual({
      name: 'credentials',
      mountPath: credentialsFolder,
      readOnly: true,
    });
  }
});

test('a pod of a plain Kafka mounts nothing', () => {
  expect(podOf({}).volumes.map(({ name }) => name)).toEqual(['tmp']);
});

test('what the pod’s environment says is what its containers read', () => {
  const env = Object.fromEntries(
    podOf(security).containers[0]?.env.map(({ name, value }) => [name, value]) ?? [],
  );
  expect(readSettings(env).security).toMatchObject(security);
});

const settings = {
  role: 'observer',
  bootstrap: [],
  topic: 't',
  runId: 'r',
  rate: 1,
  stream: plainStream,
  replicationFactor: 1,
  minInsyncReplicas: 1,
  consumerTimeoutMs: 1_000,
  probeStepMs: 20,
  terminationLog: '/dev/null',
} satisfies Parameters<typeof withCredentials>[0];

test('the observer’s own protocol goes through TLS and SASL, by what is mounted', async () => {
  const { authority: ca, certificate: cert, key } = await makeCertificate('localhost');
  const behind = await leaderBroker();
  const sasl = { mechanisms: ['SCRAM-SHA-256'], users: { chaos: 'canary-of-chaos' } };
  const listener = await secureBroker(behind.address, { tls: { cert, key }, sasl });
  const folder = mkdtempSync(join(tmpdir(), 'leaderfall-credentials-'));
  writeFileSync(join(folder, 'ca.crt'), ca);
  // As in a KafkaUser's Secret: its name is the user.
  writeFileSync(join(folder, 'password'), 'canary-of-chaos');
  const names = { tls: { ...security.tls, clientSecret: undefined, caKey: 'ca.crt' } };
  const observer = startObserver(
    withCredentials(
      {
        ...settings,
        bootstrap: [listener.address],
        security: {
          ...names,
          sasl: { ...security.sasl, usernameKey: 'username', passwordKey: 'password' },
        },
      },
      folder,
    ),
  );
  try {
    // Metadata and probes, each on a connection of its own; probes open another one beside one that is slow.
    await expect.poll(() => observer.report(0).current.leader, { timeout: 4_000 }).toBe(0);
    await expect.poll(() => observer.report(0).probes.sent, { timeout: 4_000 }).toBeGreaterThan(0);
    expect(listener.passed).toBeGreaterThanOrEqual(2);
  } finally {
    observer.stop();
    await listener.close();
    await behind.cut();
  }
});

test('no text shows the key and the password that are mounted', () => {
  const folder = mkdtempSync(join(tmpdir(), 'leaderfall-credentials-'));
  const mounted = {
    'ca.crt': 'ca',
    'user.crt': 'cert',
    'user.key': 'canary-key',
    password: 'canary-password',
  };
  for (const [name, content] of Object.entries(mounted)) writeFileSync(join(folder, name), content);
  const { tls, sasl } = experimentSchema.parse({ cluster: { namespace: 'kafka', ...security } }).cluster;
  withCredentials({ ...settings, security: { tls, sasl } }, folder);
  expect(withoutSecrets('canary-key, canary-password')).toBe('<secret>, <secret>');
});

test('credentials that are not mounted are named by their field', () => {
  const { sasl } =
    readSettings(
      Object.fromEntries(podOf(security).containers[0]?.env.map(({ name, value }) => [name, value]) ?? []),
    ).security ?? {};
  expect(() => withCredentials({ ...settings, security: { sasl } }, '/nowhere')).toThrow(
    'chaos has no key password',
  );
});
