import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cache } from '../paths.ts';
import { step } from '../progress.ts';
import { run } from '../run.ts';
import { workFolder } from './buildah.ts';

/** Puts the files of one Debian package into a folder. Nothing is installed: the machine may need another variant of it. */
export async function extractPackage(name: string, folder: string): Promise<void> {
  const packages = workFolder('package');
  const download = () => run('apt-get', ['download', '-qq', name], { cwd: packages });
  await download().catch(async () => {
    // A machine that has had all packages from the beginning has no lists of them.
    await run('apt-get', ['update', '-qq']);
    await download();
  });
  const [file = ''] = readdirSync(packages);
  await run('dpkg-deb', ['--extract', join(packages, file), folder]);
}

/** A minimal Debian 12 with some packages, made once and copied. */
export async function debian(name: string, packages: string[]): Promise<string> {
  const root = cache('debian', `${name}-${packages.join('-')}`);
  if (!existsSync(root)) {
    await step(`Debian root file system with ${packages.join(', ')}`, async () => {
      const part = `${root}.part`;
      rmSync(part, { recursive: true, force: true });
      mkdirSync(cache('debian'), { recursive: true });
      await run('mmdebstrap', [
        '--mode=root',
        '--variant=minbase',
        `--include=${packages.join(',')}`,
        // The JRE's packages put links there and fail where it is missing.
        '--setup-hook=mkdir -p "$1/usr/share/man/man1"',
        '--dpkgopt=path-exclude=/usr/share/doc/*',
        '--dpkgopt=path-exclude=/usr/share/locale/*',
        'bookworm',
        part,
      ]);
      await run('mv', [part, root]);
    });
  }
  const folder = workFolder(name);
  await run('cp', ['-a', `${root}/.`, folder]);
  return folder;
}

/** A user with uid and gid 1000. */
export function addUser(folder: string, name: string): void {
  const append = (file: string, line: string) =>
    writeFileSync(join(folder, 'etc', file), `${line}\n`, { flag: 'a' });
  append('passwd', `${name}:x:1000:1000::/home/${name}:/bin/sh`);
  append('group', `${name}:x:1000:`);
  mkdirSync(join(folder, 'home', name), { recursive: true });
}
