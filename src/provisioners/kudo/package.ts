import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, posix, relative, sep } from 'node:path';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { fetch } from 'undici';
import { parse } from 'yaml';
import { z } from 'zod';
import { type LeaderfallError, problem } from '../../experiment/errors.ts';

/** Larger packages are refused: an OperatorVersion must fit one API object (1.5 MiB). */
const maxBytes = 4 * 1024 * 1024;

const planSchema = z.looseObject({
  strategy: z.enum(['serial', 'parallel']),
  phases: z.array(
    z.looseObject({
      name: z.string(),
      strategy: z.enum(['serial', 'parallel']),
      steps: z.array(z.looseObject({ name: z.string(), tasks: z.array(z.string()) })),
    }),
  ),
});

const operatorSchema = z.looseObject({
  name: z.string().min(1),
  operatorVersion: z.union([z.string(), z.number()]).transform(String),
  appVersion: z.union([z.string(), z.number()]).transform(String).optional(),
  kudoVersion: z.string().optional(),
  kubernetesVersion: z.string().optional(),
  description: z.string().optional(),
  maintainers: z.array(z.looseObject({})).optional(),
  url: z.string().optional(),
  tasks: z.array(
    z.looseObject({
      name: z.string(),
      kind: z.string(),
      spec: z.looseObject({ resources: z.array(z.string()).optional() }),
    }),
  ),
  plans: z.record(z.string(), planSchema),
});

const paramsSchema = z.looseObject({
  parameters: z
    .array(
      z.looseObject({
        name: z.string(),
        displayName: z.string().optional(),
        description: z.string().optional(),
        required: z.boolean().optional(),
        default: z.unknown().optional(),
        trigger: z.string().optional(),
        type: z.string().optional(),
        immutable: z.boolean().optional(),
        enum: z.array(z.unknown()).optional(),
      }),
    )
    .default([]),
});

/** operator.yaml */
export type OperatorFile = z.output<typeof operatorSchema>;

/** One entry of params.yaml */
export type ParameterFile = z.output<typeof paramsSchema>['parameters'][number];

/** A KUDO package, read and checked. */
export interface KudoPackage {
  operator: OperatorFile;
  parameters: ParameterFile[];
  /** Path below templates/ → text. */
  templates: Record<string, string>;
  /** sha256 over sorted names and contents of all files, hex; the same for a directory and its archive. */
  digest: string;
  source: string;
}

/** Reads a package: directory, .tgz, http(s) URL of one, or name in a repository. PACKAGE_INVALID says which file and why. */
export async function readPackage(source: string, repository?: string): Promise<KudoPackage> {
  return parsePackage(await readFiles(source, repository), source);
}

async function readFiles(source: string, repository?: string): Promise<Map<string, Buffer>> {
  if (/^https?:\/\//.test(source)) return await unpack(await download(source), source);
  const found = await stat(source).catch(() => undefined);
  if (found?.isDirectory()) return await readFolder(source);
  if (found?.isFile()) return await unpack(await readFile(source), source);
  if (!repository) {
    throw invalid(
      source,
      'there is no such directory or file, and no repository is configured',
      'provision.repository',
    );
  }
  const { url, digest } = await lookUp(source, repository);
  const archive = await download(url);
  if (digest && sha256(archive) !== digest.replace(/^sha256:/, '')) {
    throw invalid(
      source,
      `the archive at ${url} does not have the digest that the repository states`,
      digest,
    );
  }
  return await unpack(archive, url);
}

/** Checks the files of a package and puts them into shape. */
export function parsePackage(files: Map<string, Buffer>, source: string): KudoPackage {
  const text = (name: string): string => {
    const found = files.get(name);
    if (!found) throw invalid(source, `${name} is missing`, name);
    return found.toString('utf8');
  };
  const operator = checked(operatorSchema, text('operator.yaml'), source, 'operator.yaml');
  const { parameters } = checked(paramsSchema, text('params.yaml'), source, 'params.yaml');
  const templates = Object.fromEntries(
    [...files]
      .filter(([name]) => name.startsWith('templates/'))
      .map(([name, content]) => [name.slice('templates/'.length), content.toString('utf8')]),
  );
  const evidence: string[] = [];
  if (!operator.plans.deploy) evidence.push('operator.yaml: there is no plan deploy');
  const tasks = new Set(operator.tasks.map((task) => task.name));
  for (const [plan, { phases }] of Object.entries(operator.plans)) {
    for (const name of phases.flatMap((phase) => phase.steps.flatMap((step) => step.tasks))) {
      if (!tasks.has(name))
        evidence.push(`operator.yaml: plan ${plan} names task ${name}, which is not there`);
    }
  }
  for (const task of operator.tasks) {
    for (const resource of task.spec.resources ?? []) {
      if (templates[resource] === undefined)
        evidence.push(`operator.yaml: task ${task.name} needs templates/${resource}`);
    }
  }
  if (evidence.length > 0) throw broken(source, evidence);
  return { operator, parameters, templates, digest: digestOf(files), source };
}

function checked<T>(schema: z.ZodType<T>, text: string, source: string, file: string): T {
  let value: unknown;
  try {
    value = parse(text);
  } catch (cause) {
    throw invalid(source, `${file} is not YAML: ${(cause as Error).message.split('\n')[0]}`, file);
  }
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw broken(
    source,
    result.error.issues.map((issue) => `${file}: ${issue.path.join('.')}: ${issue.message}`),
  );
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
        throw invalid(source, `it holds the path ${entry.header.name}`);
      const chunks: Buffer[] = [];
      for await (const chunk of entry) {
        size += (chunk as Buffer).length;
        checkSize(size, source);
        chunks.push(chunk as Buffer);
      }
      if (entry.header.type === 'file') files.set(name, Buffer.concat(chunks));
    }
  } catch (error) {
    if ((error as LeaderfallError).problem) throw error;
    throw invalid(source, `it is not a gzipped tar archive: ${(error as Error).message}`);
  }
  return files;
}

async function download(url: string): Promise<Buffer> {
  const response = await fetch(url, { signal: AbortSignal.timeout(60_000) }).catch((cause: unknown) => {
    throw invalid(url, `it cannot be fetched: ${(cause as Error).message}`);
  });
  if (!response.ok) throw invalid(url, `it cannot be fetched: HTTP ${response.status}`);
  const body = Buffer.from(await response.arrayBuffer());
  checkSize(body.length, url);
  return body;
}

/** First entry of that name: the index is sorted newest first, as the KUDO client expects it. */
async function lookUp(name: string, repository: string): Promise<{ url: string; digest?: string }> {
  const base = repository.replace(/\/$/, '');
  // Everything as text: a digest of digits is no number.
  const index = parse((await download(`${base}/index.yaml`)).toString('utf8'), { schema: 'failsafe' }) as {
    entries?: Record<string, { urls?: string[]; digest?: string; removed?: string }[]>;
  };
  const entry = index.entries?.[name]?.find((candidate) => candidate.removed !== 'true');
  const url = entry?.urls?.[0];
  if (!url) {
    const known = Object.keys(index.entries ?? {}).join(', ');
    throw invalid(name, `the repository ${base} does not hold it`, `it holds: ${known || 'nothing'}`);
  }
  return { url: new URL(url, `${base}/`).href, ...(entry?.digest ? { digest: entry.digest } : {}) };
}

function digestOf(files: Map<string, Buffer>): string {
  const hash = createHash('sha256');
  for (const name of [...files.keys()].sort())
    hash.update(`${name}\0${sha256(files.get(name) ?? Buffer.of())}\n`);
  return hash.digest('hex');
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex');
}

function checkSize(bytes: number, source: string): void {
  if (bytes > maxBytes) throw invalid(source, `it is larger than ${maxBytes / 1024 / 1024} MiB`);
}

function invalid(source: string, why: string, ...evidence: string[]): LeaderfallError {
  return broken(source, evidence, why);
}

function broken(source: string, evidence: string[], why = 'it is broken'): LeaderfallError {
  return problem('PACKAGE_INVALID', `KUDO package ${source}: ${why}`, {
    evidence,
    next: 'Correct the package, or name another one in provision.kafka.package or provision.zookeeper.package.',
  });
}
