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
import type { LeaderfallError, Problem } from '../../src/experiment/errors.ts';
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

/** Serves these answers by path, 404 for others; `cut` ends the connection in the middle of the answer. */
async function served<T>(
  answers: () => Record<string, Buffer | string | 'cut'>,
  work: (address: string) => Promise<T>,
): Promise<T> {
  const server = createServer((request, response) => {
    const answer = answers()[request.url ?? ''];
    if (answer === undefined) response.writeHead(404).end();
    else if (answer !== 'cut') response.end(answer);
    else {
      response.writeHead(200, { 'content-length': '1000' }).write('only the beginning');
      response.socket?.end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await work(`http://127.0.0.1:${(server.address() as { port: number }).port}`);
  } finally {
    server.close();
  }
}

test('a name is looked up in a repository, whose digest must fit', async () => {
  const archive = await archiveOf(filesOf(kafka));
  let digest = createHash('sha256').update(archive).digest('hex');
  const index = () =>
    `apiVersion: v1\nentries:\n  kafka:\n    - urls: [kafka-1.tgz]\n      digest: ${digest}\n`;
  const answers = () => ({ '/index.yaml': index(), '/kafka-1.tgz': archive });
  await served(answers, async (repository) => {
    expect((await readPackage('kafka', repository)).operator.name).toBe('kafka');
    expect((await readPackage(`${repository}/kafka-1.tgz`)).operator.name).toBe('kafka');
    await expect(readPackage('cassandra', repository)).rejects.toMatchObject({
      problem: { code: 'PACKAGE_INVALID', evidence: ['it holds: kafka'] },
    });
    digest = '0'.repeat(64);
    await expect(readPackage('kafka', repository)).rejects.toThrow('does not have the digest');
  });
});

const page = '<!doctype html><title>Sign in: please</title>';

test.each([
  ['is not there', {}, 'HTTP 404'],
  ['is a page for people', { '/kafka.tgz': page }, 'not a gzipped tar archive'],
  ['ends in the middle', { '/kafka.tgz': 'cut' }, 'cannot be fetched'],
  ['is damaged', { '/kafka.tgz': gzipSync('kafka').subarray(0, 15) }, 'not a gzipped tar archive'],
])('a package whose URL %s: one error that names the URL and why', async (_, answers, why) => {
  await served(
    () => answers as Record<string, string>,
    async (address) => {
      await expect(readPackage(`${address}/kafka.tgz`)).rejects.toMatchObject({
        problem: { code: 'PACKAGE_INVALID', message: expect.stringContaining(why), retryable: false },
        message: expect.stringContaining(`${address}/kafka.tgz`),
      });
    },
  );
});

test('a package whose server is not there is refused with the reason of the connection', async () => {
  const address = await served(
    () => ({}),
    async (gone) => gone,
  );
  await expect(readPackage(`${address}/kafka.tgz`)).rejects.toThrow(/cannot be fetched: .*ECONNREFUSED/);
});

const entry = 'entries:\n  kafka:\n    - urls:';

test.each([
  ['is not there', {}, 'HTTP 404', ''],
  ['is no YAML', { '/index.yaml': page.repeat(2) }, 'index.yaml is not YAML', ''],
  ['is empty', { '/index.yaml': '' }, 'is broken', 'index.yaml'],
  ['has no entries', { '/index.yaml': 'apiVersion: v1' }, 'is broken', 'index.yaml: entries'],
  ['has another shape', { '/index.yaml': `${entry} kafka.tgz` }, 'is broken', 'entries.kafka.0.urls'],
  ['names no URL', { '/index.yaml': `${entry} ['http://']` }, 'no URL', 'index.yaml'],
  ['names what is not there', { '/index.yaml': `${entry} [away.tgz]` }, 'away.tgz: it cannot be fetched', ''],
])(
  'a repository whose index %s: one error that names the repository and why',
  async (_, answers, why, evidence) => {
    await served(
      () => answers as Record<string, string>,
      async (repository) => {
        const refusal = await readPackage('kafka', repository).catch(
          (error: LeaderfallError) => error.problem,
        );
        expect(refusal).toMatchObject({ code: 'PACKAGE_INVALID', retryable: false });
        expect((refusal as Problem).message).toContain(why);
        expect((refusal as Problem).message).toContain(repository);
        expect((refusal as Problem).evidence?.join()).toContain(evidence);
      },
    );
  },
);

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

test('a Pipe task without its pod’s template is refused', () => {
  const defectsWith = (change: (operator: string) => string) => {
    const files = filesOf(kafka);
    files.set('operator.yaml', Buffer.from(change(files.get('operator.yaml')?.toString() ?? '')));
    try {
      return parsePackage(files, 'x') && [];
    } catch (error) {
      return (error as LeaderfallError).problem.evidence;
    }
  };
  const pod = /^ +pod: (.+)\n/m;
  expect(defectsWith((operator) => operator)).toEqual([]);
  expect(defectsWith((operator) => operator.replace(pod, '      pod: away.yaml\n'))).toEqual([
    expect.stringContaining('needs templates/away.yaml'),
  ]);
  expect(defectsWith((operator) => operator.replace(pod, ''))).toEqual([
    expect.stringContaining('is a Pipe without spec.pod'),
  ]);
});
