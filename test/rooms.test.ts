import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

/** A file and what it tries to import. */
const forbidden: [string, string][] = [
  ['src/experiment/a.ts', '../verdict/judge.ts'],
  ['src/experiment/a.ts', 'node:fs'],
  ['src/verdict/a.ts', '../report/text.ts'],
  ['src/verdict/a.ts', '@temporalio/workflow'],
  ['src/report/a.ts', '../kubernetes/port.ts'],
  ['src/report/a.ts', 'node:util'],
  ['src/workflows/a.ts', '../activities/create-activities.ts'],
  ['src/workflows/a.ts', '../kafka/port.ts'],
  ['src/workflows/a.ts', 'node:crypto'],
  ['src/workflows/a.ts', '@temporalio/client'],
  ['src/kafka/a.ts', '../kubernetes/port.ts'],
  ['src/kafka/a.ts', '@kubernetes/client-node'],
  ['src/kubernetes/a.ts', '../kafka/port.ts'],
  ['src/kubernetes/a.ts', 'kafkajs'],
  ['src/provisioners/kudo/a.ts', '../../activities/contract.ts'],
  ['src/provisioners/a.ts', '../faults/fault.ts'],
  ['src/faults/a.ts', '@temporalio/activity'],
  ['src/liveness/a.ts', 'kafkajs'],
  ['src/liveness/a.ts', '../verdict/judge.ts'],
  ['src/activities/a.ts', '../workflows/story.ts'],
  ['src/activities/a.ts', '@kubernetes/client-node'],
  ['src/worker/a.ts', '../cli/main.ts'],
  ['src/cli/a.ts', 'kafkajs'],
  ['src/cli/commands/a.ts', '../../../testbed/run.ts'],
  ['testbed/a.ts', '../src/kafka/port.ts'],
  ['test/e2e/a.ts', 'kafkajs'],
];

const allowed: [string, string][] = [
  ['src/experiment/b.ts', './spec.ts'],
  ['src/verdict/b.ts', '../experiment/result.ts'],
  ['src/report/b.ts', 'echarts/core'],
  ['src/workflows/b.ts', '../activities/contract.ts'],
  ['src/workflows/b.ts', '../activities/janitor-contract.ts'],
  ['src/workflows/b.ts', '@temporalio/workflow'],
  ['src/kafka/b.ts', 'kafkajs'],
  ['src/kubernetes/b.ts', '@kubernetes/client-node'],
  ['src/provisioners/kudo/b.ts', '../provisioner.ts'],
  ['src/liveness/b.ts', '../kafka/port.ts'],
  ['src/activities/b.ts', '../faults/all-faults.ts'],
  ['src/worker/b.ts', '../activities/create-activities.ts'],
  ['src/cli/b.ts', '../worker/run-worker.ts'],
  ['test/kafka/b.ts', 'kafkajs'],
];

let folder: string;
let refused: Set<string>;

/** A room name of its own for each case keeps several cases of one room apart. */
const fileOf = ([file, target]: [string, string]) =>
  file.replace(/\.ts$/, `-${target.replace(/\W+/g, '-')}.ts`);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'leaderfall-rooms-'));
  for (const name of ['biome.json', 'biome.rooms.json']) copyFileSync(join(root, name), join(folder, name));
  for (const entry of [...forbidden, ...allowed]) {
    const file = join(folder, fileOf(entry));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `import '${entry[1]}';\n`);
  }
  refused = lint();
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the direction of imports', () => {
  it.each(forbidden)('%s may not import %s', (...entry) => {
    expect(refused).toContain(fileOf(entry));
  });

  it.each(allowed)('%s may import %s', (...entry) => {
    expect(refused).not.toContain(fileOf(entry));
  });
});

/** Files in which the linter found a restricted import. */
function lint(): Set<string> {
  const args = ['lint', '--only=style/noRestrictedImports', '--vcs-enabled=false', '--reporter=json', '.'];
  const output = runLinter([...args, '--max-diagnostics=none']);
  const { diagnostics } = JSON.parse(output) as {
    diagnostics: { category: string; location: { path: string | { file: string } } }[];
  };
  return new Set(
    diagnostics
      .filter(({ category }) => category === 'lint/style/noRestrictedImports')
      .map(({ location: { path } }) => (typeof path === 'string' ? path : path.file)),
  );
}

/** The linter ends with 1 when it found something, which here it must. */
function runLinter(args: string[]): string {
  try {
    return execFileSync(join(root, 'node_modules/.bin/biome'), args, {
      cwd: folder,
      encoding: 'utf8',
      stdio: 'pipe',
    });
  } catch (error) {
    const { stdout } = error as { stdout?: string };
    if (!stdout) throw error;
    return stdout;
  }
}
