import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { expect, test } from 'vitest';
import type { Activities } from '../../src/activities/contract.ts';
import { fullSeries, longKill, numbers, soakResult } from '../report/soak-result.ts';
import { eachOnItsOwnServer, env, seen } from './each-story.ts';
import { healthy, runStory } from './story-support.ts';

eachOnItsOwnServer();

/** Plans, proofs and a closing as long as real ones are, of a stream whose every second is another one. */
function asLongAsReal(): Partial<Activities> {
  const next = numbers(5);
  const { stream, parts } = soakResult(60);
  const [part] = parts ?? [];
  return {
    aim: async ({ index, deadline }) => {
      const { plan } = longKill(index, next);
      if (!plan) throw new Error('a kill without a plan');
      return { outcome: 'aimed', plan: { ...plan, deadline, notAfter: deadline + 20_000 } };
    },
    prove: async ({ plan }) => longKill(plan.index, next).proof ?? { proven: false, evidence: [] },
    closeStream: async ({ liveness: { steadyAt } }) => ({
      ...(stream ? { stream } : {}),
      ...{ livenessPod: { state: 'running' as const }, isrFullAtEnd: true, recoveries: [] },
      series: fullSeries({ from: steadyAt - 10_000, stepMs: 1_000, points: 100 }, next),
      ...(part?.changes ? { changes: part.changes } : {}),
    }),
  };
}

test('the history of a run of 60 s is below 256 KiB, and each of its payloads below 64 KiB', async () => {
  const { handle, result } = await runStory(env, healthy(env, seen, asLongAsReal()));
  expect(result?.kills).toHaveLength(3);
  const history = await handle.fetchHistory();
  const text = historyToJSON(history);
  // Payloads are in base64 there, so it is larger than what the server keeps.
  const bytes = Buffer.byteLength(JSON.stringify(JSON.parse(text)));
  console.log(`${Math.round(bytes / 1_024)} KiB of history as JSON`);
  expect(bytes).toBeLessThanOrEqual(256 * 1_024);
  const payloads = [...text.matchAll(/"data":\s*"([^"]*)"/g)].map(([, data = '']) => data.length * 0.75);
  expect(payloads.length).toBeGreaterThan(20);
  expect(Math.max(...payloads)).toBeLessThanOrEqual(64 * 1_024);
});
