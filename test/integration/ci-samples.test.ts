import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { main } from '../support/build.ts';
import { environmentSteps } from '../workflow/promotion-support.ts';
import { realClock, startStoryWorker } from './story-worker.ts';

/** The shell part of each CI sample, as it stands in the file, against a real Temporal server; its runs need no cluster. */
const id = `ci-${Date.now()}`;
const folder = mkdtempSync(join(tmpdir(), 'leaderfall-ci-'));
let worker: { stop(): Promise<void> };

beforeAll(async () => {
  worker = await startStoryWorker(
    id,
    environmentSteps(realClock, 'staging', { fails: new Set(['fails']), inputs: [] }),
  );
});

afterAll(async () => {
  await worker.stop();
  rmSync(folder, { recursive: true });
});

function sample(name: string): string {
  return readFileSync(new URL(`../../examples/ci/${name}`, import.meta.url), 'utf8');
}

interface GitHub {
  jobs: Record<string, { steps: { run?: string }[] }>;
}

/** What the CI system gives to a shell, by sample. */
const shells: Record<string, () => string> = {
  'github-actions.yaml': () => {
    const { jobs } = parse(sample('github-actions.yaml')) as GitHub;
    return Object.values(jobs)
      .flatMap(({ steps }) => steps.flatMap(({ run }) => run ?? []))
      .join('\n');
  },
  'gitlab-ci.yaml': () =>
    (parse(sample('gitlab-ci.yaml')) as { chaos: { script: string[] } }).chaos.script.join('\n'),
  // Groovy reads two backslashes as one.
  Jenkinsfile: () => (/'''([\s\S]*?)'''/.exec(sample('Jenkinsfile'))?.[1] ?? '').replaceAll('\\\\', '\\'),
};

/** Runs a sample as its CI system would: `bash -e`, in a checkout that holds the experiment. */
async function job(name: string, experiment: string) {
  const checkout = join(folder, `${name}-${experiment}`);
  mkdirSync(join(checkout, 'chaos'), { recursive: true });
  const cluster = { namespace: 'kafka' };
  writeFileSync(join(checkout, 'chaos/leader-failure.yaml'), JSON.stringify({ name: experiment, cluster }));
  const run = `${id}-${name}-${experiment}`;
  const { exitCode } = await execa('bash', ['-e', '-c', shells[name]?.() ?? 'exit 99'], {
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
    },
  });
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
