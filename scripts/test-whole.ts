import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { liveTestbed } from './testbed-session.ts';

/** End-to-end tests on the testbed that take too long for every change: `npm run test:whole [FILE]`. */
const root = fileURLToPath(new URL('..', import.meta.url));
const testbed = await liveTestbed();
// EX_UNAVAILABLE: the testbed has said why.
if (!testbed) process.exit(69);
// Everything starts sooner from a build than from the sources.
const build = spawnSync(process.execPath, [join(root, 'scripts', 'build.ts')], { stdio: 'inherit' });
if (build.status !== 0) process.exit(1);
const { status } = spawnSync('vitest', ['run', '--project', 'whole', ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: { ...process.env, ...testbed, TEST_BUILD: join(root, 'dist') },
});
process.exitCode = status ?? 1;
