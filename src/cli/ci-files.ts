import { appendFile, writeFile } from 'node:fs/promises';
import { type Problem, problemOf } from '../experiment/errors.ts';
import { junitProblem } from '../report/junit.ts';
import { markdownProblem } from '../report/markdown.ts';

/** Files that a CI job shows. */
export interface CiFiles {
  junit?: string;
  summary?: string;
}

/** What is written to them. */
export interface CiTexts {
  junit(): string;
  summary(): string;
}

/** Writes the files that are asked for; the summary is appended, for one file takes several runs. */
export type CiWriter = (texts: CiTexts) => Promise<void>;

/** Does something that writes these files where all goes well; where it throws before it has written any, they say why. */
export async function withCiFiles<T>(
  { junit, summary }: CiFiles,
  name: string,
  act: (write: CiWriter) => Promise<T>,
): Promise<T> {
  let written = false;
  const write: CiWriter = async (texts) => {
    if (junit) {
      await writeFile(junit, texts.junit());
      written = true;
    }
    if (summary) {
      // Without an empty line the next heading would belong to the HTML element that this one may end with.
      await appendFile(summary, `${texts.summary()}\n`);
      written = true;
    }
  };
  try {
    return await act(write);
  } catch (error) {
    // Where they cannot be written either, the person is told what went wrong first.
    if (!written) await write(problemTexts(name, problemOf(error))).catch(() => {});
    throw error;
  }
}

/** Why there is nothing else to write. */
export function problemTexts(name: string, found: Problem): CiTexts {
  return {
    junit: () => junitProblem(name, found, new Date().toISOString()),
    summary: () => markdownProblem(name, found),
  };
}
