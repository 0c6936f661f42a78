import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureChromium } from './ensure-chromium.ts';
import { liveTestbed } from './testbed-session.ts';

/**
 * Everything that proves the project, from the quick checks to experiments on a real cluster. Goes on after a failure, so that one
 * run shows all of them, and ends with one line `N passed, N failed`.
 */
const root = fileURLToPath(new URL('..', import.meta.url));
const reports = mkdtempSync(join(tmpdir(), 'leaderfall-test-'));
const total = { passed: 0, failed: 0 };

/** A command that counts as one test. */
function check(name: string, command: string, args: string[]): boolean {
  console.log(`\n── ${name}`);
  const { status } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status === 0) total.passed++;
  else total.failed++;
  return status === 0;
}

/** One vitest project, or several by a pattern; a project that could not run at all is a failure too. */
function vitest(project: string, env: NodeJS.ProcessEnv = {}): void {
  console.log(`\n── ${project.replace('*', '')} tests`);
  const report = join(reports, `${project.replace('*', '')}.json`);
  const args = ['run', '--project', project, '--reporter=default', '--reporter=json'];
  const { status } = spawnSync('vitest', [...args, `--outputFile.json=${report}`], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...env },
  });
  const counts = readReport(report);
  total.passed += counts.passed;
  total.failed += counts.failed;
  if (status !== 0 && counts.failed === 0) total.failed++;
  // A skipped test proves nothing, least of all that the cluster was there.
  total.failed += counts.skipped;
  if (counts.skipped > 0) console.log(`${counts.skipped} tests were skipped: that counts as failed`);
}

function readReport(file: string): { passed: number; failed: number; skipped: number } {
  try {
    const report = JSON.parse(readFileSync(file, 'utf8')) as Record<string, number>;
    const { numPassedTests = 0, numFailedTests = 0, numPendingTests = 0, numTodoTests = 0 } = report;
    return { passed: numPassedTests, failed: numFailedTests, skipped: numPendingTests + numTodoTests };
  } catch {
    return { passed: 0, failed: 0, skipped: 0 };
  }
}

check('types', 'tsc', ['--noEmit']);
check('types of the report’s script', 'tsc', ['--noEmit', '-p', 'src/report/page']);
check('lint', 'biome', ['check', '.']);
check('build', 'node', ['scripts/build.ts']);
process.env.TEST_BUILD = join(root, 'dist');
ensureChromium();
vitest('unit*');
vitest('workflow');
check('durability, in short', 'node', ['test/durability/main.ts', '--short']);
const testbed = await liveTestbed();
if (testbed) {
  vitest('integration', testbed);
  // By themselves: brokers that share the processors with anything else are not back within an interval.
  vitest('e2e', testbed);
} else {
  console.log('\nThe testbed did not come up: its tests count as failed.');
  total.failed++;
}
console.log(`\n${total.passed} passed, ${total.failed} failed`);
process.exitCode = total.failed === 0 ? 0 : 1;
