import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const read = (name: string) => readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');
const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<
  string,
  Record<string, string>
>;

describe('dependencies', () => {
  it('have a reason each, in docs/dependencies.md, in order', () => {
    const told = [...read('docs/dependencies.md').matchAll(/^\| `(.+?)` \| \S/gm)].map(([, name]) => name);
    expect(told).toEqual([...Object.keys(dependencies ?? {}), ...Object.keys(devDependencies ?? {})]);
  });

  it('have exact versions', () => {
    for (const version of Object.values({ ...dependencies, ...devDependencies })) {
      expect(version).toMatch(/^\d+\.\d+\.\d+$/);
    }
  });
});
