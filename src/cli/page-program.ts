import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const built = new URL('../report/page/main.js', import.meta.url);
const source = new URL('../report/page/main.ts', import.meta.url);

/** The script of an HTML report, gzip in base64: as it was built, or from the sources where they are what runs. */
export async function pageProgram(): Promise<string> {
  const code = existsSync(built) ? await readFile(built, 'utf8') : await bundlePage(fileURLToPath(source));
  return packed(code);
}

/** A text as the pages hold it: gzip in base64. */
export function packed(text: string): string {
  return gzipSync(text, { level: 9 }).toString('base64');
}

/** One script of `entry` and all that it imports, the used parts of the chart library included. Needs the development packages. */
export async function bundlePage(entry: string): Promise<string> {
  const { rolldown } = await import('rolldown');
  await using bundle = await rolldown({
    input: entry,
    platform: 'browser',
    transform: { define: { 'process.env.NODE_ENV': '"production"' } },
  });
  const { output } = await bundle.generate({ format: 'iife', minify: true });
  return output[0].code;
}
