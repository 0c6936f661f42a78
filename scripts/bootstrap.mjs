// Runs a TypeScript program of this project on a checkout in any state: installs what is missing, then uses the project's own
// Node. Plain JavaScript without dependencies, for it runs before there are any, on Node 20 too.
//   node scripts/bootstrap.mjs scripts/demo.ts [arguments]
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Packages that a lock file names, by folder. */
const packagesOf = (file) => JSON.parse(readFileSync(`${root}${file}`, 'utf8')).packages;

/** Whether node_modules holds what package-lock.json wants. npm keeps its own record of what it installed. */
function isInstalled() {
  if (!existsSync(`${root}node_modules/.package-lock.json`)) return false;
  const installed = packagesOf('node_modules/.package-lock.json');
  return Object.entries(packagesOf('package-lock.json')).every(
    ([folder, { version, optional, devOptional, peer }]) =>
      folder === '' || optional || devOptional || peer || installed[folder]?.version === version,
  );
}

if (!isInstalled()) {
  const started = Date.now();
  process.stderr.write('  … npm ci: the installed packages are missing or from another lock file\n');
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', process.stderr, 'inherit'],
  });
  if (status !== 0) {
    process.stderr.write(
      'npm ci failed: see above. The lock file names every package; a registry must be reachable.\n',
    );
    process.exit(1);
  }
  process.stderr.write(`  ✓ npm ci (${((Date.now() - started) / 1_000).toFixed(1)} s)\n`);
}

const bin = `${root}node_modules/.bin`;
const child = spawn(`${bin}/node`, process.argv.slice(2), {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, PATH: `${bin}:${process.env.PATH}` },
});
// Ctrl-C reaches the child by the terminal; this process only waits for its answer.
for (const signal of ['SIGINT', 'SIGHUP']) process.on(signal, () => undefined);
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.on('exit', (code, signal) => {
  process.exitCode = code ?? 1;
  if (signal) process.stderr.write(`ended by ${signal}\n`);
});
child.on('error', (error) => {
  process.stderr.write(
    `the project's Node cannot be run: ${error.message}\nRemove node_modules and try again.\n`,
  );
  process.exitCode = 1;
});
