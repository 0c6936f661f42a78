import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { expect, test } from 'vitest';
import { parsePackage, readPackage } from '../../src/provisioners/kudo/package.ts';

const kafka = fileURLToPath(new URL('../../testbed/operators/kafka', import.meta.url));

function filesOf(folder: string): Map<string, Buffer> {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return new Map(
    entries.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [relative(folder, path), readFileSync(path)];
    }),
  );
}

async function archiveOf(files: Map<string, Buffer>): Promise<Buffer> {
  const archive = pack();
  for (const [name, content] of files) archive.entry({ name }, content);
  archive.finalize();
  return gzipSync(await buffer(archive));
}

test('a directory and its archive are the same package, digest included', async () => {
  const fromFolder = await readPackage(kafka);
  const file = join(mkdtempSync(join(tmpdir(), 'package-')), 'kafka.tgz');
  writeFileSync(file, await archiveOf(filesOf(kafka)));
  const fromArchive = await readPackage(file);
  expect(fromArchive.digest).toBe(fromFolder.digest);
  expect(fromArchive.operator.name).toBe('kafka');
  expect(Object.keys(fromArchive.templates).sort()).toEqual(Object.keys(fromFolder.templates).sort());
});

test('a name is looked up in a repository, whose digest must fit', async () => {
  const archive = await archiveOf(filesOf(kafka));
  const digest = createHash('sha256').update(archive).digest('hex');
  let stated = digest;
  const server = createServer((request, response) => {
    if (request.url === '/index.yaml') {
      response.end(
        `apiVersion: v1\nentries:\n  kafka:\n    - urls: [kafka-1.tgz]\n      digest: ${stated}\n`,
      );
    } else if (request.url === '/kafka-1.tgz') response.end(archive);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const repository = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
  try {
    expect((await readPackage('kafka', repository)).operator.name).toBe('kafka');
    expect((await readPackage(`${repository}/kafka-1.tgz`)).operator.name).toBe('kafka');
    await expect(readPackage('cassandra', repository)).rejects.toMatchObject({
      problem: { code: 'PACKAGE_INVALID', evidence: ['it holds: kafka'] },
    });
    stated = '0'.repeat(64);
    await expect(readPackage('kafka', repository)).rejects.toThrow('does not have the digest');
  } finally {
    server.close();
  }
});

test('an archive that reaches outside itself is refused', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'package-')), 'evil.tgz');
  writeFileSync(file, await archiveOf(new Map([['../operator.yaml', Buffer.from('name: x')]])));
  await expect(readPackage(file)).rejects.toThrow('it holds the path ../operator.yaml');
});

test('what is no package is refused with the reason', async () => {
  const file = join(mkdtempSync(join(tmpdir(), 'package-')), 'plain.tgz');
  writeFileSync(file, 'not an archive');
  await expect(readPackage(file)).rejects.toMatchObject({ problem: { code: 'PACKAGE_INVALID' } });
  await expect(readPackage('no-such-thing')).rejects.toThrow('no repository is configured');
});

test('every defect of a package is named with its file at once', () => {
  const files = filesOf(kafka);
  files.delete('templates/service.yaml');
  const operator = files.get('operator.yaml')?.toString() ?? '';
  files.set('operator.yaml', Buffer.from(operator.replace('- not-allowed\n', '- not-there\n')));
  expect(() => parsePackage(files, 'x')).toThrow(
    expect.objectContaining({
      problem: expect.objectContaining({
        evidence: expect.arrayContaining([
          expect.stringContaining('not-there'),
          expect.stringContaining('templates/service.yaml'),
        ]),
      }),
    }),
  );
  files.delete('params.yaml');
  expect(() => parsePackage(files, 'x')).toThrow('params.yaml is missing');
});
