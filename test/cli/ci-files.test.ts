import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withCiFiles } from '../../src/cli/ci-files.ts';
import { problem } from '../../src/experiment/errors.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'leaderfall-ci-files-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const passed = { junit: () => '<passed/>', summary: () => '## Pass\n\n</details>\n' };

test('each summary is appended after an empty line, which ends the HTML before it', async () => {
  const summary = join(folder, 'a.md');
  for (let run = 0; run < 2; run++) await withCiFiles({ summary }, 'run', (write) => write(passed));
  expect(readFileSync(summary, 'utf8')).toBe('## Pass\n\n</details>\n\n## Pass\n\n</details>\n\n');
});

test('what was refused before there was anything to write is in both files', async () => {
  const files = { junit: join(folder, 'a.xml'), summary: join(folder, 'a.md') };
  const refused = withCiFiles(files, 'run', async () => {
    throw problem('INPUT_INVALID', 'schedul: unknown field', { next: 'Correct it.' });
  });
  await expect(refused).rejects.toThrow('schedul');
  expect(readFileSync(files.junit, 'utf8')).toContain('next: Correct it.');
  expect(readFileSync(files.summary, 'utf8')).toMatch(
    /^## run: INPUT_INVALID\n\n.*\n\n\*\*Next:\*\* Correct it\.\n/,
  );
});

test('a verdict that is written stays, also where the summary cannot be', async () => {
  const files = { junit: join(folder, 'a.xml'), summary: join(folder, 'no', 'such', 'folder', 'a.md') };
  await expect(withCiFiles(files, 'run', (write) => write(passed))).rejects.toThrow('ENOENT');
  expect(readFileSync(files.junit, 'utf8')).toBe('<passed/>');
});

test('nothing is written that was not asked for', async () => {
  await withCiFiles({}, 'run', (write) => write(passed));
  expect(existsSync(join(folder, 'a.xml'))).toBe(false);
});
