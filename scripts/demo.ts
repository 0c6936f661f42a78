import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createWriteStream, mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { packed, pageProgram } from '../src/cli/page-program.ts';
import type { ChaosResult } from '../src/experiment/result.ts';
import { htmlReport } from '../src/report/html.ts';
import { jsonReport } from '../src/report/json.ts';
import { textReport } from '../src/report/text.ts';
import { liveTestbed } from './testbed-session.ts';

/**
 * From nothing to a verdict: a real cluster, a worker, and the blog's ChaosEngine as it was published. Leaves the testbed up.
 * Ends with the exit code of the run.
 */
const root = fileURLToPath(new URL('..', import.meta.url));
const command = join(root, 'src', 'cli', 'main.ts');
const experiment = join(root, 'examples', 'kafka-chaos.yaml');
const folder = join(root, '.leaderfall');
/** A queue of its own, so that no other worker of this machine takes part. */
const taskQueue = 'leaderfall-demo';
const stopHint = 'The testbed is still up. Take it down with: npm run testbed -- down';

// Ctrl-C reaches the run by the terminal; the demo stays to stop the worker after the clean-up.
process.on('SIGINT', () => undefined);
process.exitCode = await demo();

async function demo(): Promise<number> {
  say('\n1  A Kubernetes cluster of three nodes and a Temporal server');
  const testbed = await liveTestbed();
  // EX_UNAVAILABLE: the testbed has said why and what to do instead.
  if (!testbed) return 69;
  const env = {
    ...process.env,
    ...testbed,
    LEADERFALL_WEB_UI: testbed.TESTBED_WEB_UI,
    LEADERFALL_TASK_QUEUE: taskQueue,
  };
  prepareNamespace('kafka');

  say('\n2  A worker');
  const worker = await startWorker(env);
  try {
    say(
      `\n3  ${relative(root, experiment)}: a Kafka from KUDO, a stream through it, its leader killed three times`,
    );
    // The worker ends with the demo, so a run that is only left alone would stand still.
    const args = [command, 'run', '-f', experiment, '--json', '--on-interrupt', 'abort'];
    const run = spawn(process.execPath, args, { cwd: root, env, stdio: ['inherit', 'pipe', 'inherit'] });
    const [output, code] = await Promise.all([text(run.stdout), ended(run)]);
    const result = resultIn(output);
    if (result) say(`\n${(await reportsOf(result)).join('\n')}`);
    return code;
  } finally {
    await stop(worker);
    say(`\n${stopHint}`);
  }
}

/** What a person does beforehand in the blog: makes the namespace, and opts a Kafka in that is there already. */
function prepareNamespace(name: string): void {
  if (kubectl('get', 'namespace', name).status !== 0) must(kubectl('create', 'namespace', name));
  const optIn = 'litmuschaos.io/chaos=true';
  must(
    kubectl('annotate', 'statefulsets', '--namespace', name, '--selector', 'app=kafka', '--overwrite', optIn),
  );
}

function kubectl(...args: string[]): { status: number | null; stderr: string } {
  const program = [join(root, 'testbed', 'main.ts'), 'kubectl', ...args];
  return spawnSync(process.execPath, program, { encoding: 'utf8' });
}

function must({ status, stderr }: { status: number | null; stderr: string }): void {
  if (status !== 0) throw new Error(`the testbed refused: ${stderr}`);
}

/** Starts the worker and waits until it says that it is ready; its log goes to a file. */
async function startWorker(env: NodeJS.ProcessEnv): Promise<ChildProcess> {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'worker.log');
  const log = createWriteStream(file);
  const started = Date.now();
  // In a process group of its own: Ctrl-C is meant for the run, whose clean-up needs the worker.
  const worker = spawn(process.execPath, [command, 'worker'], {
    cwd: root,
    env: { ...env, LEADERFALL_LOG_FORMAT: 'json' },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  worker.stderr.pipe(log, { end: false });
  const ready = new Promise<void>((resolve, reject) => {
    createInterface({ input: worker.stdout }).on('line', (line) => {
      log.write(`${line}\n`);
      if (line.includes('"worker is ready"')) resolve();
    });
    worker.once('exit', () => reject(new Error(`the worker ended at once, see ${relative(root, file)}`)));
  });
  await ready;
  say(
    `  ✓ worker on task queue ${taskQueue} (${((Date.now() - started) / 1_000).toFixed(1)} s), log ${relative(root, file)}`,
  );
  return worker;
}

async function stop(worker: ChildProcess): Promise<void> {
  if (worker.exitCode !== null) return;
  worker.kill('SIGTERM');
  await ended(worker);
}

async function ended(child: ChildProcess): Promise<number> {
  if (child.exitCode !== null) return child.exitCode;
  return await new Promise((resolve) => child.once('exit', (code) => resolve(code ?? 1)));
}

/** The run's result; undefined where it ended without one. */
function resultIn(output: string): ChaosResult | undefined {
  if (output.trim() === '') return undefined;
  const found = JSON.parse(output) as Partial<ChaosResult>;
  return found.schema ? (found as ChaosResult) : undefined;
}

/** Writes the reports of a run and says where they are. */
async function reportsOf(result: ChaosResult): Promise<string[]> {
  const reports = join(folder, 'reports');
  mkdirSync(reports, { recursive: true });
  const { workflowId } = result.run;
  const page = htmlReport(result, await pageProgram(), packed);
  const contents = { html: page, txt: textReport(result), json: jsonReport(result) };
  return Object.entries(contents).map(([extension, content]) => {
    const file = join(reports, `${workflowId}.${extension}`);
    writeFileSync(file, content);
    return `report    ${relative(root, file)}`;
  });
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
