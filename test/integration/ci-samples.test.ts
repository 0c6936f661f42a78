import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { main } from '../support/build.ts';
import { environmentSteps, lastingProof } from '../workflow/promotion-support.ts';
import { realClock, startStoryWorker } from './story-worker.ts';

/** The shell part of each CI sample, as it stands in the file, against a real Temporal server; its runs need no cluster. */
const id = `ci-${Date.now()}`;
const folder = mkdtempSync(join(tmpdir(), 'leaderfall-ci-'));
let worker: { stop(): Promise<void> };
/** Once the runs that last are in the proof of their kill. */
let lasting: Promise<void>;

beforeAll(async () => {
  const { prove, begun } = lastingProof(3);
  lasting = begun;
  const steps = environmentSteps(realClock, 'staging', { fails: new Set(['fails']), inputs: [] });
  worker = await startStoryWorker(id, {
    ...steps,
    prove: async (request) =>
      request.resolved.experiment.name === 'lasts' ? await prove() : await steps.prove(request),
  });
});

afterAll(async () => {
  await worker.stop();
  rmSync(folder, { recursive: true });
});

function sample(name: string): string {
  return readFileSync(new URL(`../../examples/ci/${name}`, import.meta.url), 'utf8');
}

interface GitHub {
  jobs: Record<string, { steps: { if?: string; run?: string }[] }>;
}

/** What the CI system gives to a shell, by sample: for the job, and once that is cancelled. */
const shells: Record<string, () => { job: string; cancelled: string }> = {
  'github-actions.yaml': () => {
    const { jobs } = parse(sample('github-actions.yaml')) as GitHub;
    const steps = Object.values(jobs).flatMap(({ steps: all }) => all);
    const runs = (when?: string) =>
      steps.flatMap((step) => (step.if === when && step.run ? [step.run] : [])).join('\n');
    return { job: runs(), cancelled: runs('cancelled()') };
  },
  'gitlab-ci.yaml': () => {
    const { chaos } = parse(sample('gitlab-ci.yaml')) as { chaos: Record<string, string[]> };
    return { job: chaos.script?.join('\n') ?? '', cancelled: chaos.after_script?.join('\n') ?? '' };
  },
  Jenkinsfile: () => {
    const [, script = ''] = /'''([\s\S]*?)'''/.exec(sample('Jenkinsfile')) ?? [];
    const [, cancelled = ''] = /aborted \{\s*sh '([^']*)'/.exec(sample('Jenkinsfile')) ?? [];
    // Groovy reads two backslashes as one.
    return { job: script.replaceAll('\\\\', '\\'), cancelled };
  },
};

/** A sample in a checkout that holds the experiment. `shell` runs a part of it as its CI system would, by `bash -e`. */
function checkoutOf(name: string, experiment: string) {
  const checkout = join(folder, `${name}-${experiment}`);
  mkdirSync(join(checkout, 'chaos'), { recursive: true });
  const cluster = { namespace: 'kafka' };
  writeFileSync(join(checkout, 'chaos/leader-failure.yaml'), JSON.stringify({ name: experiment, cluster }));
  const run = `${id}-${name}-${experiment}`;
  const shell = (part: 'job' | 'cancelled', more: Record<string, string> = {}) =>
    execa('bash', ['-e', '-c', shells[name]?.()[part] || 'exit 99'], {
      cwd: checkout,
      reject: false,
      stdin: 'ignore',
      env: {
        CI: 'true',
        NO_COLOR: '1',
        LEADERFALL: `${process.execPath} ${main}`,
        LEADERFALL_TASK_QUEUE: id,
        GITHUB_STEP_SUMMARY: join(checkout, 'leaderfall.md'),
        ...{ GITHUB_RUN_ID: run, GITHUB_RUN_ATTEMPT: '1', CI_JOB_ID: run, BUILD_TAG: run },
        ...more,
      },
    });
  return { checkout, shell };
}

async function job(name: string, experiment: string) {
  const { checkout, shell } = checkoutOf(name, experiment);
  const { exitCode } = await shell('job');
  const written = (file: string) =>
    existsSync(join(checkout, file)) ? readFileSync(join(checkout, file), 'utf8') : '';
  return { exitCode, junit: written('leaderfall.xml'), summary: written('leaderfall.md') };
}

test.each(Object.keys(shells))(
  '%s: the job ends with the verdict, JUnit and summary say it',
  async (name) => {
    const [good, bad] = await Promise.all([job(name, 'passes'), job(name, 'fails')]);
    expect([good.exitCode, bad.exitCode]).toEqual([0, 1]);
    expect(good.junit).toContain('failures="0"');
    expect(bad.junit).toContain('<failure');
    expect(good.summary).toContain('Pass');
    expect(bad.summary).toContain('Fail');
  },
);

test('a job that is cancelled without a word to its command aborts the run all the same', async () => {
  const jobs = Object.keys(shells).map((name) => ({ name, ...checkoutOf(name, 'lasts') }));
  // The command goes on: whoever cancels the job ends the shell around it at most.
  const commands = jobs.map(({ shell }) => shell('job'));
  await lasting;
  for (const { name, shell } of jobs) {
    const { exitCode, stderr } = await shell('cancelled', { CI_JOB_STATUS: 'canceled' });
    expect([exitCode, stderr], name).toEqual([0, expect.stringContaining('Abort asked for')]);
  }
  expect((await Promise.all(commands)).map(({ exitCode }) => exitCode)).toEqual([4, 4, 4]);
});
