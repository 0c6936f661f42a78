import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, expect, it } from 'vitest';
import { testbedHome } from '../support/testbed-home.ts';

const home = await testbedHome('lock');
const { lock } = await import('../../testbed/lock.ts');
const { paths } = await import('../../testbed/paths.ts');

const file = join(paths.root, 'lock');
afterEach(() => rmSync(file, { force: true }));
afterAll(() => rmSync(home, { recursive: true }));

it('a second command is refused and told whom to wait for, until the first one is over', () => {
  const unlock = lock();
  expect(() => lock()).toThrow(new RegExp(`pid ${process.pid}`));
  unlock();
  lock()();
  expect(existsSync(file)).toBe(false);
});

it('the lock of a command that is gone is taken over', () => {
  lock()();
  writeFileSync(file, `${process.pid} 1`);
  lock()();
  expect(existsSync(file)).toBe(false);
});

it('a torn lock is taken over', () => {
  lock()();
  writeFileSync(file, '');
  lock()();
});

it('nothing but the lock itself is ever left', () => {
  const unlock = lock();
  expect(() => lock()).toThrow();
  expect(readdirSync(paths.root)).toEqual(['lock']);
  unlock();
});
