import { readFileSync } from 'node:fs';

/** How the image starts Node: its environment, its options, and the program with the arguments that follow, as the Dockerfile has them. */
export function deployedNode(): { env: Record<string, string>; options: string[]; program: string[] } {
  const dockerfile = readFileSync(new URL('../deploy/Dockerfile', import.meta.url), 'utf8');
  const [, pairs = ''] = /^ENV (NODE_ENV=.*)$/m.exec(dockerfile) ?? [];
  const env = Object.fromEntries(pairs.split(' ').map((pair) => pair.split('=') as [string, string]));
  const [, entrypoint = '[]'] = /^ENTRYPOINT (\[.*\])$/m.exec(dockerfile) ?? [];
  const [, ...rest] = JSON.parse(entrypoint) as string[];
  const [options, program] = [true, false].map((wanted) =>
    rest.filter((one) => one.startsWith('--') === wanted),
  );
  return { env, options: options ?? [], program: program ?? [] };
}
