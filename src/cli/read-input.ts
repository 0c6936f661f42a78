import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { problem } from '../experiment/errors.ts';
import { parseExperiment } from '../experiment/parse.ts';
import { readExperimentText } from '../experiment/read.ts';
import { faultOf } from '../faults/all-faults.ts';

/**
 * The experiment in a file (`-`: standard input) as the person wrote it, checked: ready to be started.
 * Throws INPUT_INVALID that names the file, and the field where one is wrong.
 */
export async function readInput(file: string): Promise<unknown> {
  const input = await readDocument(file);
  faultOf(parseExperiment(input).experiment);
  return input;
}

/** The one document in a file (`-`: standard input), unchecked. Throws INPUT_INVALID. */
export async function readDocument(file: string): Promise<unknown> {
  return readExperimentText(await contents(file));
}

async function contents(file: string): Promise<string> {
  try {
    return file === '-' ? await text(process.stdin) : await readFile(file, 'utf8');
  } catch (error) {
    throw problem('INPUT_INVALID', `${file} cannot be read`, {
      evidence: [error instanceof Error ? error.message : String(error)],
      next: 'Name a YAML or JSON file with -f; "leaderfall schema" shows what it may hold.',
      cause: error,
    });
  }
}
