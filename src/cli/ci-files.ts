import { appendFile, writeFile } from 'node:fs/promises';
import { type Problem, problemOf } from '../experiment/errors.ts';
import { junitProblem } from '../report/junit.ts';

/** Files that a CI job shows. */
export interface CiFiles {
  junit?: string;
  summary?: string;
}

/** Writes them; the summary is appended, for one file takes several runs. */
export async function writeCiFiles(
  { junit, summary }: CiFiles,
  text: { junit: () => string; summary: () => string },
): Promise<void> {
  if (junit) await writeFile(junit, text.junit());
  if (summary) await appendFile(summary, text.summary());
}

/** Does something that writes these files where all goes well; where it throws, they say why. */
export async function withCiFiles<T>(files: CiFiles, name: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    // Where they cannot be written either, the person is told what went wrong first.
    await writeCiProblem(files, name, problemOf(error)).catch(() => {});
    throw error;
  }
}

/** Writes why there is nothing else to write. */
export async function writeCiProblem(files: CiFiles, name: string, found: Problem): Promise<void> {
  const evidence = (found.evidence ?? []).map((fact) => `- ${fact}`);
  await writeCiFiles(files, {
    junit: () => junitProblem(name, found, new Date().toISOString()),
    summary: () => [`## ${name}: ${found.code}`, '', found.message, '', ...evidence, '', ''].join('\n'),
  });
}
