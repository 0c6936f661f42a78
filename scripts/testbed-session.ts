import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { searchAttributes } from '../src/experiment/search-attributes.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Version of the package, which is the tag of its image. */
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

/**
 * The project's own image as the testbed's registry serves it. Its tag tells what it was built from: a node that has an image of
 * that name would never pull a newer one.
 */
function projectImage(definition: string): string {
  return `docker.io/leaderfall/leaderfall:${version}-${definition.slice(0, 12)}`;
}

/**
 * Brings the testbed up and its copy of the project's image up to date. Gives the environment that points every client at it, with
 * the testbed's KUDO packages for a worker; undefined where it did not come up, with the reason printed.
 */
export async function liveTestbed(): Promise<Record<string, string> | undefined> {
  const attributes = Object.entries(searchAttributes).flatMap(([name, type]) => [
    '--search-attribute',
    `${name}=${type}`,
  ]);
  if (!testbed(['up', ...attributes])) return undefined;
  const dockerfile = join(root, 'deploy', 'Dockerfile');
  const definition = digestOfImage();
  const image = projectImage(definition);
  if (!testbed(['image', 'build', image, root, '--file', dockerfile, '--definition', definition]))
    return undefined;
  return {
    ...printedEnvironment(),
    LEADERFALL_LIVENESS_IMAGE: image,
    LEADERFALL_KUDO_ZOOKEEPER_PACKAGE: join(root, 'testbed', 'operators', 'zookeeper'),
    LEADERFALL_KUDO_KAFKA_PACKAGE: join(root, 'testbed', 'operators', 'kafka'),
  };
}

function testbed(args: string[]): boolean {
  const { status } = spawnSync(process.execPath, [join(root, 'testbed', 'main.ts'), ...args], {
    stdio: 'inherit',
  });
  return status === 0;
}

/** The lines `export NAME=value` that the testbed prints. */
function printedEnvironment(): Record<string, string> {
  const { stdout } = spawnSync(process.execPath, [join(root, 'testbed', 'main.ts'), 'env'], {
    encoding: 'utf8',
  });
  const pairs = stdout.split('\n').flatMap((line) => {
    const found = /^export (\w+)=(.*)$/.exec(line);
    return found ? [[found[1] ?? '', found[2] ?? '']] : [];
  });
  return Object.fromEntries(pairs) as Record<string, string>;
}

/** Everything that goes into the image. */
function digestOfImage(): string {
  const hash = createHash('sha256');
  const sources = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const others = [
    'package-lock.json',
    'package.json',
    'deploy/Dockerfile',
    'scripts/build.ts',
    'tsconfig.json',
    'tsconfig.build.json',
  ];
  for (const file of [...sources.sort(), ...others.map((name) => join(root, name))]) {
    hash.update(file.slice(root.length)).update('\0').update(readFileSync(file)).update('\0');
  }
  return hash.digest('hex');
}
