import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { cache, network } from '../paths.ts';
import { step } from '../progress.ts';
import { run, succeeds } from '../run.ts';

/** Storage of its own: the machine's containers are not ours. */
function buildah(args: string[], options: { cwd?: string } = {}): Promise<string> {
  const storage = ['--root', cache('buildah', 'root'), '--runroot', cache('buildah', 'run')];
  return run('buildah', [...storage, ...args], options);
}

/** Removes what builds that were cut off have left: their containers, with the mounts of them. */
export async function dropBuilds(): Promise<void> {
  if (existsSync(cache('buildah', 'root'))) await buildah(['rm', '--all']);
}

/** `docker.io/library/busybox:latest` → `library/busybox:latest`: the registry stands for every public host. */
export function localName(image: string): string {
  const first = image.split('/')[0] ?? '';
  const named = image.includes('/') && (first.includes('.') || first.includes(':'));
  const rest = named ? image.slice(first.length + 1) : image;
  // Only Docker's host keeps its single-word images under `library`.
  const path = rest.includes('/') || (named && first !== 'docker.io') ? rest : `library/${rest}`;
  return path.includes(':') ? path : `${path}:latest`;
}

/** Whether the registry holds an image made from exactly this definition. */
export async function isCurrent(image: string, definition: string): Promise<boolean> {
  const [path, tag] = localName(image).split(':');
  const manifest = `http://${network.registry}/v2/${path}/manifests/${tag}`;
  return (
    existsSync(mark(image)) &&
    readFileSync(mark(image), 'utf8') === digest(definition) &&
    // The registry answers 404 to whoever does not name the manifest's own type.
    (await succeeds('curl', ['-sfI', '-H', 'Accept: application/vnd.oci.image.manifest.v1+json', manifest]))
  );
}

/** An image from a root file system or a folder that is copied to `/`, pushed to the registry under its public name. */
export async function imageFromFolder(options: {
  image: string;
  definition: string;
  from?: string;
  prepare: () => Promise<string>;
  config: string[];
}): Promise<void> {
  const { image, definition } = options;
  if (await isCurrent(image, definition)) return;
  await step(`image ${image}`, async () => {
    const folder = await options.prepare();
    const container = await buildah([
      'from',
      '--pull-never',
      options.from ? storageName(options.from) : 'scratch',
    ]);
    try {
      await buildah(['copy', '--quiet', container, folder, '/']);
      if (options.config.length > 0) await buildah(['config', ...options.config, container]);
      await buildah(['commit', '--quiet', container, storageName(image)]);
    } finally {
      await buildah(['rm', container]);
    }
    await push(image);
    remember(image, definition);
  });
}

/** An image from a Dockerfile, pushed to the registry under its public name. */
export async function imageFromDockerfile(options: {
  image: string;
  definition: string;
  context: string;
  file: string;
}): Promise<void> {
  if (await isCurrent(options.image, options.definition)) return;
  await step(`image ${options.image}`, async () => {
    // The host's network, certificates and npm settings: what the host can install, the build can. The cache saves the downloads.
    const npmCache = await run('npm', ['config', 'get', 'cache']);
    mkdirSync(npmCache, { recursive: true });
    const mounts = [
      ...['/etc/ssl/certs', '/etc/resolv.conf', '/etc/hosts']
        .filter(existsSync)
        .map((path) => `${path}:${path}:ro`),
      `${npmSettings()}:/root/.npmrc:ro`,
      `${npmCache}:/root/.npm`,
    ].flatMap((volume) => ['--volume', volume]);
    // Layers are kept: a change of a source must not install every package anew.
    const host = ['--isolation', 'chroot', '--network', 'host', '--pull-never', ...mounts];
    await buildah([
      'bud',
      '--layers',
      ...host,
      '--tag',
      storageName(options.image),
      '--file',
      options.file,
      options.context,
    ]);
    await push(options.image);
    remember(options.image, options.definition);
  });
}

/** The person's npm settings, and the certificates that this host trusts: Node itself would trust only its own. */
function npmSettings(): string {
  const own = join(homedir(), '.npmrc');
  const text = existsSync(own) ? readFileSync(own, 'utf8') : '';
  const file = join(workFolder('npm'), 'npmrc');
  const certificates = '/etc/ssl/certs/ca-certificates.crt';
  writeFileSync(file, existsSync(certificates) ? `${text}\ncafile=${certificates}\n` : text);
  return file;
}

async function push(image: string): Promise<void> {
  const target = `docker://${network.registry}/${localName(image)}`;
  await buildah(['push', '--quiet', '--tls-verify=false', storageName(image), target]);
}

/** Fully qualified, as buildah keeps it, so that `FROM node:24` in a Dockerfile finds it. */
function storageName(image: string): string {
  const first = image.split('/')[0] ?? '';
  return first.includes('.') ? image : `docker.io/${localName(image)}`;
}

function mark(image: string): string {
  return cache('images', `${localName(image).replaceAll(/[/:]/g, '_')}.digest`);
}

function remember(image: string, definition: string): void {
  mkdirSync(cache('images'), { recursive: true });
  writeFileSync(mark(image), digest(definition));
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** An empty folder to prepare an image in. */
export function workFolder(name: string): string {
  const folder = join(cache('work'), name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  return folder;
}
