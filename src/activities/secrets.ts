import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { problem } from '../experiment/errors.ts';
import { holdSecret } from '../experiment/held-secrets.ts';

/**
 * A secret of the worker by its name, read anew each time so that it can be changed. Throws CONFIGURATION_INVALID that names it
 * and never shows it.
 */
export async function readSecret(folder: string | undefined, name: string): Promise<string> {
  if (folder === undefined) {
    throw problem('CONFIGURATION_INVALID', `secret ${name} is asked for, and the worker has no secrets`, {
      next: 'Set LEADERFALL_SECRETS_FOLDER on the worker to a folder that has a file of that name.',
    });
  }
  try {
    const secret = (await readFile(join(folder, name), 'utf8')).trimEnd();
    holdSecret(secret);
    return secret;
  } catch (cause) {
    throw problem('CONFIGURATION_INVALID', `the worker has no secret ${name}`, {
      evidence: [(cause as NodeJS.ErrnoException).code ?? 'unreadable'],
      next: 'Put a file of that name into the folder that LEADERFALL_SECRETS_FOLDER names.',
      cause,
    });
  }
}
