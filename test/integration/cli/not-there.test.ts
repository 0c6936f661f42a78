import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, expect, it } from 'vitest';
import { main } from '../../support/build.ts';

const folder = mkdtempSync(join(tmpdir(), 'leaderfall-not-there-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The command where neither Temporal nor a cluster is: port 1 refuses at once. */
function leaderfall(args: string[]) {
  return execa(process.execPath, [main, ...args], {
    reject: false,
    stdin: 'ignore',
    env: { TEMPORAL_ADDRESS: '127.0.0.1:1', KUBECONFIG: join(folder, 'none'), NO_COLOR: '1' },
  });
}

it('says what to do when Temporal is not there, to CI too, and the doctor goes on to the cluster', async () => {
  const file = join(folder, 'good.yaml');
  const junit = join(folder, 'junit.xml');
  const summary = join(folder, 'summary.md');
  writeFileSync(file, 'cluster: { namespace: kafka }\n');
  const [run, doctor] = await Promise.all([
    leaderfall(['run', '-f', file, '--junit', junit, '--summary', summary]),
    leaderfall(['doctor', '--json']),
  ]);
  expect([run.exitCode, doctor.exitCode]).toEqual([3, 1]);
  expect(run.stderr).toMatch(/TEMPORAL_UNREACHABLE.*127\.0\.0\.1:1[\s\S]*next: .*TEMPORAL_ADDRESS/);
  const xml = readFileSync(junit, 'utf8');
  expect(xml).toMatch(/<testsuite [^>]*tests="1" failures="0" errors="1" skipped="0"/);
  expect(xml).toMatch(/<error message="[^"]*127\.0\.0\.1:1[^"]*" type="TEMPORAL_UNREACHABLE"/);
  expect(xml).toMatch(/\nnext: .*TEMPORAL_ADDRESS/);
  const told = readFileSync(summary, 'utf8');
  expect(told).toMatch(/^## run: TEMPORAL_UNREACHABLE\n\n.*127\.0\.0\.1:1/);
  expect(told).toMatch(/^\*\*Next:\*\* .*TEMPORAL\\_ADDRESS/m);
  const findings = JSON.parse(doctor.stdout) as { about: string; state: string }[];
  expect(findings.map(({ about, state }) => [about, state])).toEqual([
    ['Temporal', 'bad'],
    ['Kubernetes', 'bad'],
  ]);
});
