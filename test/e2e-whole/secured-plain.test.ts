import { afterAll, beforeAll, expect, test } from 'vitest';
import { ensureSecuredKafka, oneKill } from '../support/kafka.ts';
import { expectNothingLeft } from '../support/nothing-left.ts';
import { startRoleWorker } from '../support/rights.ts';
import { securePort, secureSecret } from '../support/secure-listener.ts';
import { runExperiment, type WorkerProcess } from '../support/testbed.ts';

const taskQueue = 'e2e-plain';
let worker: WorkerProcess;

beforeAll(async () => {
  await ensureSecuredKafka();
  worker = await startRoleWorker(taskQueue, ['target', 'credentials']);
});

afterAll(async () => {
  await worker.stop();
});

// SCRAM is tried by every change, in 12-secured-kafka.
test('a whole run by PLAIN over TLS: Pass, every record accounted for, nothing left', async () => {
  const tls = { caSecret: secureSecret };
  const sasl = { mechanism: 'PLAIN', secret: secureSecret };
  const cluster = { namespace: 'kafka', port: securePort, tls, sasl };
  const workflowId = `e2e-plain-${Date.now()}`;
  const { result, stderr } = await runExperiment({ ...oneKill, cluster }, { taskQueue, workflowId });
  expect(result?.verdict, `${result?.reasons.join('\n')}\n${stderr.slice(-3_000)}`).toBe('Pass');
  expect(result?.stream?.acked).toBeGreaterThan(0);
  expect(result?.stream).toMatchObject({ lost: 0, drained: true });
  if (result) await expectNothingLeft(result.run);
});
