import { spawnSync } from 'node:child_process';
import { liveTestbed } from './testbed-session.ts';

/** End-to-end tests on the testbed that take too long for every change: `npm run test:whole [FILE]`. */
const testbed = await liveTestbed();
// EX_UNAVAILABLE: the testbed has said why.
if (!testbed) process.exit(69);
const { status } = spawnSync('vitest', ['run', '--project', 'whole', ...process.argv.slice(2)], {
  stdio: 'inherit',
  env: { ...process.env, ...testbed },
});
process.exitCode = status ?? 1;
