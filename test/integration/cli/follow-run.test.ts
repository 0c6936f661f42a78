import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, NativeConnection, Worker, type WorkflowBundle } from '@temporalio/worker';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from '../../support/build.ts';
import { stubActivities } from './stub-activities.ts';

/**
 * The command against a real Temporal server, with a story that has the shape of a real run but needs no cluster.
 * TEMPORAL_ADDRESS names the server.
 */
const folder = mkdtempSync(join(tmpdir(), 'leaderfall-follow-'));
const file = join(folder, 'experiment.yaml');
writeFileSync(file, 'cluster: { namespace: kafka }\n');

let connection: NativeConnection;
let workflowBundle: WorkflowBundle;
beforeAll(async () => {
  connection = await NativeConnection.connect({ address: process.env.TEMPORAL_ADDRESS ?? '127.0.0.1:7233' });
  workflowBundle = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('stub-story.ts', import.meta.url)),
  });
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await connection.close();
});

/** A worker that carries the stub story out, on a queue of its own. */
async function worker(
  taskQueue: string,
  options: { verdict?: string; slowMs?: number } = {},
): Promise<Worker> {
  const { verdict = 'Pass', slowMs = 1_500 } = options;
  const activities = stubActivities({ verdict, slowMs });
  return await Worker.create({
    connection,
    taskQueue,
    workflowBundle,
    activities,
    maxHeartbeatThrottleInterval: '500ms',
  });
}

function leaderfall(taskQueue: string, ...args: string[]) {
  return execa(process.execPath, [main, ...args], {
    reject: false,
    stdin: 'ignore',
    env: { LEADERFALL_TASK_QUEUE: taskQueue, NO_COLOR: '1', CI: '' },
  });
}

/** Waits until the command has written a text to standard error; fails when it ends without. */
async function written(ran: ReturnType<typeof leaderfall>, text: string): Promise<void> {
  let all = '';
  const { promise, resolve } = Promise.withResolvers<void>();
  ran.stderr.on('data', (chunk: Buffer) => {
    all += chunk.toString();
    if (all.includes(text)) resolve();
  });
  const ended = ran.then(() => Promise.reject(new Error(`ended without ${JSON.stringify(text)}:\n${all}`)));
  await Promise.race([promise, ended]);
  ended.catch(() => undefined);
}

const queue = (name: string) => `follow-${name}-${process.pid}-${Date.now()}`;

describe('a run that is followed', () => {
  it.each([
    ['Pass', 0],
    ['Fail', 1],
    ['Inconclusive', 2],
  ])('ends with %s as exit code %i, progress apart from the result', async (verdict, exitCode) => {
    const taskQueue = queue(verdict);
    const running = await worker(taskQueue, { verdict });
    const [junit, summary] = [join(folder, `${verdict}.xml`), join(folder, `${verdict}.md`)];
    const files = ['--junit', junit, '--summary', summary];
    const ran = await running.runUntil(leaderfall(taskQueue, 'run', '-f', file, '--json', ...files));
    expect(ran.exitCode).toBe(exitCode);
    expect(readFileSync(junit, 'utf8')).toContain('<testsuite');
    expect(readFileSync(summary, 'utf8')).toContain(verdict);
    expect(JSON.parse(ran.stdout)).toMatchObject({ schema: 'leaderfall.io/result/v1', verdict });
    expect(ran.stderr).toMatch(/provision +deploy IN_PROGRESS/);
    expect(ran.stderr).toMatch(/kill +kill 1: pod kafka-kafka-2 \(broker 2\) deleted/);
    expect(ran.stderr).toContain(`${verdict}  the stub says ${verdict}`);
  });

  it('says that no worker is there, and goes on when one comes', async () => {
    const taskQueue = queue('late');
    const ran = leaderfall(taskQueue, 'run', '-f', file);
    await written(ran, `no worker polls task queue ${taskQueue}`);
    const again = await worker(taskQueue);
    expect((await again.runUntil(ran)).exitCode).toBe(0);
  });

  it('is aborted by a signal under CI, cleans up, and ends with 4', async () => {
    const taskQueue = queue('abort');
    const running = await worker(taskQueue, { slowMs: 20_000 });
    const ran = leaderfall(taskQueue, 'run', '-f', file, '--json', '--on-interrupt', 'abort');
    await running.runUntil(async () => {
      await written(ran, 'deploy IN_PROGRESS');
      ran.kill('SIGINT');
      await ran;
    });
    const { exitCode, stdout, stderr } = await ran;
    expect(exitCode).toBe(4);
    expect(JSON.parse(stdout).verdict).toBe('Stopped');
    expect(stderr).toContain('nothing left behind');
  });

  it('goes on when the one who watches leaves, and can be watched, aborted and reported later', async () => {
    const taskQueue = queue('detach');
    const workflowId = `${taskQueue}-run`;
    const running = await worker(taskQueue, { slowMs: 20_000 });
    await running.runUntil(async () => {
      const ran = leaderfall(
        taskQueue,
        'run',
        '-f',
        file,
        '--workflow-id',
        workflowId,
        '--on-interrupt',
        'detach',
      );
      await written(ran, 'deploy IN_PROGRESS');
      ran.kill('SIGINT');
      expect((await ran).exitCode).toBe(130);

      const status = await leaderfall(taskQueue, 'status', workflowId, '--json');
      expect(JSON.parse(status.stdout)).toMatchObject({
        state: 'running',
        pending: [{ activity: 'provision' }],
      });
      const early = await leaderfall(taskQueue, 'report', workflowId);
      expect([early.exitCode, early.stderr]).toEqual([64, expect.stringContaining('is not over')]);

      expect((await leaderfall(taskQueue, 'abort', workflowId)).exitCode).toBe(0);
      expect((await leaderfall(taskQueue, 'watch', workflowId)).exitCode).toBe(4);
    });
    // Without any worker: from the history alone.
    const report = async (format: string) =>
      (await leaderfall(taskQueue, 'report', workflowId, format)).stdout;
    expect(JSON.parse(await report('--json')).verdict).toBe('Stopped');
    expect(await report('--html')).toMatch(/^<!doctype html>.*<span class="verdict Stopped">/s);
    expect(await report('--md')).toMatch(/^## \S+ Stopped/);
    expect(await report('--junit')).toMatch(/^<\?xml .*<skipped message="the stub says Stopped"\/>/s);
    expect(await report('--svg')).toMatch(/^<svg .*>Stopped</s);
    const { stdout: explained } = await leaderfall(taskQueue, 'explain', workflowId);
    expect(explained).toMatch(/not met +the run went to its end\n.*observed stopped → Stopped/);
    expect(explained).toMatch(/Gate 1 is not met.*\nVerdict: Stopped$/);
    const asJson = JSON.parse((await leaderfall(taskQueue, 'explain', workflowId, '--json')).stdout);
    expect(asJson.verdict).toBe('Stopped');
    expect(asJson.lines[0]).toMatchObject({ id: 'not-stopped', outcome: 'not met' });
    expect((await leaderfall(taskQueue, 'abort', workflowId)).stderr).toContain('it is cancelled');
  });

  it('is refused where its workflow id is in use, which the files of a CI job say too', async () => {
    const taskQueue = queue('twice');
    const workflowId = `${taskQueue}-run`;
    const run = ['run', '-f', file, '--workflow-id', workflowId];
    expect((await leaderfall(taskQueue, ...run, '--detach')).exitCode).toBe(0);
    const [junit, summary] = [join(folder, 'twice.xml'), join(folder, 'twice.md')];
    const again = await leaderfall(taskQueue, ...run, '--junit', junit, '--summary', summary);
    expect([again.exitCode, again.stderr]).toEqual([3, expect.stringContaining('CLUSTER_CLAIMED')]);
    const said = `a run with workflow id ${workflowId} is under way`;
    expect(readFileSync(junit, 'utf8')).toContain(`<error message="${said}" type="CLUSTER_CLAIMED"`);
    expect(readFileSync(summary, 'utf8')).toContain(`## run: CLUSTER_CLAIMED\n\n${said}`);
    const running = await worker(taskQueue);
    expect((await running.runUntil(leaderfall(taskQueue, 'watch', workflowId))).exitCode).toBe(0);
  });

  it('is aborted when its time limit is over', async () => {
    const taskQueue = queue('limit');
    const running = await worker(taskQueue, { slowMs: 30_000 });
    const ran = await running.runUntil(leaderfall(taskQueue, 'run', '-f', file, '--timeout', '2'));
    expect(ran.exitCode).toBe(4);
    expect(ran.stderr).toContain('Not over after 2 s');
  });

  it('is not aborted by a time limit of a month', async () => {
    const taskQueue = queue('month');
    const running = await worker(taskQueue);
    const ran = await running.runUntil(leaderfall(taskQueue, 'run', '-f', file, '--timeout', '2592000'));
    expect([ran.exitCode, ran.stderr]).toEqual([0, expect.not.stringContaining('Not over')]);
  });
});

it('does not know a run that never was', async () => {
  const { exitCode, stderr } = await leaderfall('none', 'status', 'no-such-run');
  expect(exitCode).toBe(64);
  expect(stderr).toContain('there is no run no-such-run');
});
