import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

/** Installs Debian's Chromium, with a font, where the machine has none: some tests look at pages as people do. */
export function ensureChromium(): void {
  if (process.env.CHROMIUM || existsSync('/usr/bin/chromium') || !existsSync('/usr/bin/apt-get')) return;
  console.log('\n── Chromium from Debian (some 2 minutes)');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const packages = ['chromium', 'fonts-dejavu-core'];
  for (const args of [
    ['update', '-qq'],
    ['install', '-y', '-qq', '--no-install-recommends', ...packages],
  ]) {
    spawnSync('apt-get', args, { stdio: ['ignore', 'ignore', 'inherit'], env });
  }
}
