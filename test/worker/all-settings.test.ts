import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { LeaderfallError, type Problem } from '../../src/experiment/errors.ts';
import { connectKubernetes } from '../../src/kubernetes/connect-kubernetes.ts';
import { allSettings } from '../../src/worker/all-settings.ts';
import { listenAddresses, readConfig } from '../../src/worker/config.ts';
import { deploymentVersion } from '../../src/worker/deployment.ts';
import { checkAddresses } from '../../src/worker/free-addresses.ts';

function kubeconfig(text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'leaderfall-kubeconfig-')), 'config');
  writeFileSync(file, text);
  return file;
}

async function refusal(reading: Promise<unknown>): Promise<Problem> {
  const error: unknown = await reading.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  if (error instanceof LeaderfallError) return error.problem;
  throw new Error(`not refused: ${String(error)}`);
}

it('one start shows what is wrong with settings of every kind', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const env = {
    LEADERFALL_TARGET_PORT: 'x',
    LEADERFALL_HEALTH_ADDRESS: `127.0.0.1:${port}`,
    TEMPORAL_WORKER_BUILD_ID: '1',
  };
  const { code, evidence, next } = await refusal(
    allSettings({
      config: () => readConfig(env),
      addresses: () => checkAddresses(listenAddresses(env)),
      deployment: () => deploymentVersion(env),
      kubernetes: () => connectKubernetes({ kubeconfig: kubeconfig('{') }),
    }),
  );
  taken.close();
  expect(code).toBe('CONFIGURATION_INVALID');
  expect(evidence).toEqual(
    expect.arrayContaining([
      expect.stringContaining('LEADERFALL_TARGET_PORT'),
      expect.stringMatching(/^LEADERFALL_HEALTH_ADDRESS: .*EADDRINUSE/),
      expect.stringContaining('TEMPORAL_DEPLOYMENT_NAME'),
      expect.stringContaining('kubeconfig'),
    ]),
  );
  expect(next).toContain('KUBECONFIG');
  expect(next).toContain('environment variables');
});

it('one that is wrong is told as it is, and none is given as they were read', async () => {
  const config = () => readConfig({ LEADERFALL_LOG_LEVEL: 'loud' });
  const { message } = await refusal(allSettings({ a: () => 1, config }));
  expect(message).toContain('worker');
  expect(await allSettings({ a: () => 1, b: async () => 'x' })).toEqual({ a: 1, b: 'x' });
});
