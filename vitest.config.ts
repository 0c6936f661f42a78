import { globSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { ByName } from './test/support/by-name.ts';

const elsewhere = ['test/workflow/**', 'test/integration/**', 'test/e2e/**', 'test/e2e-whole/**'];

/** Unit tests that put something in a module's place, where the next file must not find it. */
const replacing = globSync('test/**/*.test.ts', { exclude: elsewhere }).filter((file) =>
  readFileSync(file, 'utf8').includes('vi.mock('),
);

/** Four loops, from the quick one to the real cluster. Names of files decide; `npm test` runs them in this order. */
export default defineConfig({
  test: {
    sequence: { sequencer: ByName },
    // Unit tests of sockets and time-outs wait more than they work; each more would import everything once more.
    maxWorkers: availableParallelism() * 3,
    projects: [
      {
        test: {
          name: 'unit',
          // A busy machine may take as long as it likes; a test that hangs ends all the same.
          testTimeout: 60_000,
          include: ['test/**/*.test.ts'],
          exclude: [...elsewhere, ...replacing],
          // Each module is imported once for all files: half the processor time of the loop that has to be quick.
          pool: 'threads',
          isolate: false,
        },
      },
      {
        test: {
          name: 'unit-replacing',
          testTimeout: 60_000,
          include: replacing,
          pool: 'threads',
          // What is in the place of a module is a file's own, and so is what imports it; packages are imported once.
          isolate: false,
          setupFiles: ['test/support/own-modules.ts'],
        },
      },
      {
        test: {
          name: 'workflow',
          include: ['test/workflow/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          // A time-skipping server that gets too little processor time jumps over what is under way.
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'integration',
          include: ['test/integration/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
          // They wait more than they work, each on a task queue or a Temporal server of its own.
          maxWorkers: 4,
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 600_000,
          hookTimeout: 600_000,
          // One cluster, one Kafka: the experiments follow one another.
          fileParallelism: false,
        },
      },
      {
        test: {
          // What takes too long for every change: `npm run test:whole`.
          name: 'whole',
          include: ['test/e2e-whole/**/*.test.ts'],
          testTimeout: 900_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
