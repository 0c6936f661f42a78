import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';

/**
 * An empty cache folder of the test's own, for the testbed's modules that are imported after it: some of what they do
 * stops processes and removes files, which must never be those of the testbed that runs on this machine.
 */
export async function testbedHome(name: string): Promise<string> {
  const home = mkdtempSync(join(tmpdir(), `testbed-${name}-`));
  vi.stubEnv('XDG_CACHE_HOME', home);
  // Another file may have imported them with the real folder: threads share what they have imported.
  vi.resetModules();
  const { paths } = await import('../../testbed/paths.ts');
  if (!paths.root.startsWith(home)) throw new Error(`the testbed's files are in ${paths.root}`);
  return home;
}
