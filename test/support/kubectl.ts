import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const testbed = fileURLToPath(new URL('../../testbed/main.ts', import.meta.url));

/** Runs kubectl as the testbed's administrator and gives its output. Throws with what it said where it fails. */
export function kubectl(args: string[], input?: string): string {
  const command = [testbed, 'kubectl', ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: 'utf8', input });
  if (status !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
  return stdout;
}
