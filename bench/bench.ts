import { connectTemporal } from '../src/cli/connect-temporal.ts';
import { ensureKafka, removeKafka } from '../test/support/kafka.ts';
import { startWorker } from '../test/support/testbed.ts';
import { deployedNode } from './deployed-node.ts';
import type { MeasuredRun } from './figure.ts';
import { experiment, measuredRun } from './measured-run.ts';
import { ownAccount } from './own-account.ts';
import { ensureNamespace, temporalNamespace } from './own-namespace.ts';

/** The worker as its image starts it, from this checkout's build: options of Node included, since they decide its memory. */
function deployed(): { command: string[]; env: Record<string, string> } {
  const { env, options, program } = deployedNode();
  return { command: [...options, ...program.map((file) => file.replace(/^\/app\//, ''))], env };
}

/** Runs the experiment so many times in a row on one built worker, telling the person of each as it ends. */
export async function bench(times: number, tell: (line: string) => void): Promise<MeasuredRun[]> {
  tell('a new Kafka: what was there may have been made by older templates …');
  await removeKafka();
  await ensureKafka();
  const access = await connectTemporal();
  await ensureNamespace(access).finally(() => access.connection.close());
  process.env.TEMPORAL_NAMESPACE = temporalNamespace;
  const account = await ownAccount(experiment.cluster.namespace);
  const runs: MeasuredRun[] = [];
  try {
    const { command, env } = deployed();
    const worker = await startWorker('bench', { ...env, KUBECONFIG: account.kubeconfig }, command);
    try {
      for (let index = 1; index <= times; index++) {
        const started = Date.now();
        tell(`run ${index} of ${times} …`);
        const run = await measuredRun(worker, account.username);
        runs.push(run);
        const took = ((Date.now() - started) / 1_000).toFixed(0);
        tell(`run ${index} of ${times}: ${run.result?.verdict ?? `no result\n${run.stderr}`} (${took} s)`);
        if (run.result?.verdict !== 'Pass') tell(`  ${run.result?.reasons.join('\n  ')}`);
      }
    } finally {
      await worker.stop();
    }
  } finally {
    await account.remove();
  }
  return runs;
}
