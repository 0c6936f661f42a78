import { describe, expect, it } from 'vitest';
import { findBaseline } from '../../src/activities/baseline.ts';
import type { ActivityDependencies } from '../../src/activities/dependencies.ts';
import type { ChaosResult } from '../../src/experiment/result.ts';
import type { VerdictLine } from '../../src/experiment/verdict-line.ts';
import { lastPassed, type RunsOfTemporal } from '../../src/worker/last-passed.ts';
import { passedResult } from '../report/example-result.ts';

const line = (id: VerdictLine['id'], value?: number): VerdictLine => ({
  ...{ id, gate: false, what: id, required: '', observed: '', outcome: 'met', because: [] },
  ...(value === undefined ? {} : { value }),
});

function resultOf(runId: string, change: Partial<ChaosResult> = {}): ChaosResult {
  const passed = passedResult();
  return { ...passed, run: { ...passed.run, runId }, specHash: 'same', ...change };
}

/** A Temporal that keeps these completed runs, newest first; says what it was asked. */
function temporal(results: ChaosResult[]): RunsOfTemporal & { queries: string[]; read: string[] } {
  const asked = { queries: [] as string[], read: [] as string[] };
  const runs = {
    ...asked,
    list: ({ query = '' }) => {
      asked.queries.push(query);
      return (async function* () {
        for (const { run } of results) yield run;
      })();
    },
    getHandle: (_workflowId: string, runId: string) => ({
      result: async () => {
        asked.read.push(runId);
        return results.find(({ run }) => run.runId === runId);
      },
    }),
  };
  return runs as unknown as ReturnType<typeof temporal>;
}

describe('the last passed run of a spec', () => {
  it('is the newest that passed with the same digest', async () => {
    const runs = temporal([
      resultOf('failed', { verdict: 'Fail' }),
      resultOf('other', { specHash: 'other' }),
      resultOf('older-version', { specHash: undefined }),
      resultOf('wanted', { lines: [line('lost', 0), line('time-to-new-leader', 310), line('kills', 3)] }),
      resultOf('before'),
    ]);
    expect(await lastPassed(runs, 'same', [])).toMatchObject({
      runId: 'wanted',
      figures: { lost: 0, 'time-to-new-leader': 310 },
    });
  });

  it('is looked for by search attributes where they are registered, and by none that is not', async () => {
    const runs = temporal([]);
    await lastPassed(runs, 'same', ['LeaderfallVerdict', 'LeaderfallSpecHash']);
    await lastPassed(runs, 'same', ['LeaderfallCluster']);
    const [narrow, wide] = runs.queries;
    expect(narrow).toContain('LeaderfallVerdict = "Pass" AND LeaderfallSpecHash = "same"');
    expect(wide).toBe('WorkflowType = "kafkaBrokerFailure" AND ExecutionStatus = "Completed"');
  });

  it('is given up after a bounded number of runs', async () => {
    const runs = temporal(
      Array.from({ length: 100 }, (_, index) => resultOf(`run-${index}`, { specHash: 'x' })),
    );
    expect(await lastPassed(runs, 'same', [])).toBeUndefined();
    expect(runs.read.length).toBe(20);
  });
});

describe('a run that looks for its baseline', () => {
  const warned: string[] = [];
  const withLookup = (lookup: ActivityDependencies['lastPassed']) =>
    ({
      lastPassed: lookup,
      log: { info: () => {}, warn: (_fields: object, message: string) => warned.push(message) },
    }) as unknown as ActivityDependencies;

  it('goes on without where Temporal refuses, and says so', async () => {
    const refuses = withLookup(async () => {
      throw new Error('no visibility here');
    });
    expect(await findBaseline(refuses, 'same', [])).toBeUndefined();
    expect(warned.join()).toContain('cannot be looked for');
  });

  it('goes on without where Temporal never answers', async () => {
    const hangs = withLookup(() => new Promise(() => {}));
    expect(await findBaseline(hangs, 'same', [], 1)).toBeUndefined();
  });
});
