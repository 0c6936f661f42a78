import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, posix, relative, sep } from 'node:path';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { fetch } from 'undici';
import { z } from 'zod';
import { LeaderfallError } from '../../experiment/errors.ts';
import { checkedYaml, invalidPackage } from './package-problem.ts';

/** Larger packages are refused: an OperatorVersion must fit one API object (1.5 MiB). */
const maxBytes = 4 * 1024 * 1024;

/** The files of a package by their paths, from a directory, .tgz, http(s) URL of one, or name in a repository. */
export async function readFiles(source: string, repository?: string): Promise<Map<string, Buffer>> {
  if (/^https?:\/\//.test(source)) return await unpack(await download(source), source);
  const found = await stat(source).catch(() => undefined);
  if (found?.isDirectory()) return await readFolder(source);
  if (found?.isFile()) return await unpack(await readFile(source), source);
  if (!repository) {
    throw invalidPackage(source, 'there is no such directory or file, and no repository is configured', [
      'provision.repository',
    ]);
  }
  const { url, digest } = await lookUp(source, repository);
  const archive = await download(url);
  if (digest && sha256(archive) !== digest.replace(/^sha256:/, '')) {
    throw invalidPackage(
      source,
      `the archive at ${url} does not have the digest that the repository states`,
      [digest],
    );
  }
  return await unpack(archive, url);
}

async function readFolder(folder: string): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    files.set(relative(folder, path).split(sep).join(posix.sep), await readFile(path));
  }
  checkSize(
    [...files.values()].reduce((sum, file) => sum + file.length, 0),
    folder,
  );
  return files;
}

async function unpack(archive: Buffer, source: string): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  const unpacker = extract();
  let size = 0;
  Readable.from([archive])
    .pipe(createGunzip())
    .on('error', (error) => unpacker.destroy(error))
    .pipe(unpacker);
  try {
    for await (const entry of unpacker) {
      const name = posix.normalize(entry.header.name);
      if (name.startsWith('..') || posix.isAbsolute(name))
        throw invalidPackage(source, `it holds the path ${entry.header.name}`);
      const chunks: Buffer[] = [];
      for await (const chunk of entry) {
        size += (chunk as Buffer).length;
        checkSize(size, source);
        chunks.push(chunk as Buffer);
      }
      if (entry.header.type === 'file') files.set(name, Buffer.concat(chunks));
    }
  } catch (error) {
    if (error instanceof LeaderfallError) throw error;
    throw invalidPackage(source, `it is not a gzipped tar archive: ${(error as Error).message}`);
  }
  return files;
}

async function download(url: string): Promise<Buffer> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(60_000) });
    if (!response.ok) throw invalidPackage(url, `it cannot be fetched: HTTP ${response.status}`);
    const body = Buffer.from(await response.arrayBuffer());
    checkSize(body.length, url);
    return body;
  } catch (error) {
    if (error instanceof LeaderfallError) throw error;
    const { message, cause } = error as Error;
    // The name of what went wrong, a refused connection say, is in the cause.
    const reason = cause instanceof Error ? `${message}: ${cause.message}` : message;
    throw invalidPackage(url, `it cannot be fetched: ${reason}`);
  }
}

/** As far as a package is looked up in it. Everything is text: a digest of digits is no number. */
const indexSchema = z.looseObject({
  entries: z.record(
    z.string(),
    z.array(
      z.looseObject({
        urls: z.array(z.string()).optional(),
        digest: z.string().optional(),
        removed: z.string().optional(),
      }),
    ),
  ),
});

/** First entry of that name: the index is sorted newest first, as the KUDO client expects it. */
async function lookUp(name: string, repository: string): Promise<{ url: string; digest?: string }> {
  const base = repository.replace(/\/$/, '');
  const text = (await download(`${base}/index.yaml`)).toString('utf8');
  const source = `${name} of repository ${base}`;
  const { entries } = checkedYaml(indexSchema, text, source, 'index.yaml', { schema: 'failsafe' });
  const entry = entries[name]?.find((candidate) => candidate.removed !== 'true');
  const url = entry?.urls?.[0];
  if (!url) {
    const known = Object.keys(entries).join(', ');
    throw invalidPackage(name, `the repository ${base} does not hold it`, [
      `it holds: ${known || 'nothing'}`,
    ]);
  }
  if (!URL.canParse(url, `${base}/`))
    throw invalidPackage(source, `${url} in its index is no URL`, ['index.yaml']);
  return { url: new URL(url, `${base}/`).href, ...(entry?.digest ? { digest: entry.digest } : {}) };
}

/** Hex. */
export function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

function checkSize(bytes: number, source: string): void {
  if (bytes > maxBytes) throw invalidPackage(source, `it is larger than ${maxBytes / 1024 / 1024} MiB`);
}
