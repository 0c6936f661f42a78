import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { cache, paths } from './paths.ts';
import { step } from './progress.ts';
import { run } from './run.ts';

const kubernetesVersion = '1.34.4';

/** The multi-call binary with every program of the cluster. Cold some 7 min on 2 cores, then cached. */
export async function kubernetesBinary(): Promise<string> {
  const version = 'k8s.io/component-base/version';
  const flags = [
    `-X ${version}.gitVersion=v${kubernetesVersion}`,
    `-X ${version}.gitMajor=1`,
    `-X ${version}.gitMinor=34`,
  ];
  return await goBuild('kubernetes', '.', `-s -w ${flags.join(' ')}`);
}

/** The unmodified KUDO manager 0.19.0. */
export async function kudoManagerBinary(): Promise<string> {
  return await goBuild('kudo', 'github.com/kudobuilder/kudo/cmd/manager', '-s -w');
}

/**
 * Path of a program of the Go module in `source`; built where there is no build of these files. `name`: of the build in the cache, unique to
 * the program.
 */
export async function goBuild(
  name: string,
  target: string,
  ldflags: string,
  source = join(paths.source, 'go', name),
): Promise<string> {
  const binary = cache('bin', `${name}-${digestOf(source)}`);
  if (existsSync(binary)) return binary;
  await step(`build ${name} from its Go modules (minutes when cold)`, async () => {
    mkdirSync(cache('bin'), { recursive: true });
    const part = `${binary}.${process.pid}.part`;
    const env = { CGO_ENABLED: '0' };
    await run('go', ['build', '-trimpath', '-buildvcs=false', '-ldflags', ldflags, '-o', part, target], {
      cwd: source,
      env,
    });
    renameSync(part, binary);
  });
  removeOldBuilds(name);
  return binary;
}

/** Keeps a few builds, since several checkouts share them, and each is large. */
function removeOldBuilds(name: string): void {
  const builds = readdirSync(cache('bin'))
    .filter((file) => file.startsWith(`${name}-`))
    .map((file) => cache('bin', file))
    .sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  for (const old of builds.slice(3)) rmSync(old);
}

/** Digest of the files of a folder, names and contents, eight bytes as hex. */
export function digestOf(folder: string): string {
  const hash = createHash('sha256');
  for (const file of readdirSync(folder, { recursive: true, withFileTypes: true }).sort(byPath)) {
    if (!file.isFile()) continue;
    const path = join(file.parentPath, file.name);
    hash.update(path.slice(folder.length)).update('\0').update(readFileSync(path)).update('\0');
  }
  return hash.digest('hex').slice(0, 16);
}

function byPath(a: { parentPath: string; name: string }, b: { parentPath: string; name: string }): number {
  return join(a.parentPath, a.name) < join(b.parentPath, b.name) ? -1 : 1;
}
