import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import { describe, expect, it } from 'vitest';
import { actionsOf } from '../../src/cli/history/actions.ts';
import type { RawEvent } from '../../src/cli/history/decode.ts';

function recorded(file: string): RawEvent[] {
  const bytes = readFileSync(fileURLToPath(new URL(`../histories/${file}`, import.meta.url)));
  const text = file.endsWith('.gz') ? gunzipSync(bytes) : bytes;
  return historyFromJSON(JSON.parse(text.toString())).events ?? [];
}

describe('the Temporal Actions of a run', () => {
  it.each([
    ['pass.json', { starts: 1, activities: 16, timers: 2 }],
    ['step-retried.json', { starts: 1, activities: 16, retries: 1, timers: 2 }],
    ['worker-killed-four-times.json', { starts: 1, activities: 13, retries: 3, timers: 1, upserts: 2 }],
    ['aborted.json', { starts: 1, activities: 9, signals: 1 }],
    ['steered.json', { starts: 1, activities: 19, timers: 4, updates: 2 }],
    ['promotion-passed.json', { starts: 1, activities: 2, timers: 2, children: 2 }],
  ])('are what the history of %s holds', (file, actions) => {
    expect(actionsOf(recorded(file))).toEqual(actions);
  });

  it('of a run that went on in a new history are those of both, a start each', () => {
    const both = [...recorded('continued-1.json.gz'), ...recorded('continued-2.json')];
    expect(actionsOf(both)).toEqual({ starts: 2, activities: 167, timers: 51 });
  });

  it('are two more where a schedule started it, and only for its first history', () => {
    const searchAttributes = { indexedFields: { TemporalScheduledById: {} } };
    const first = { workflowExecutionStartedEventAttributes: { searchAttributes, attempt: 1 } };
    const next = {
      workflowExecutionStartedEventAttributes: { searchAttributes, continuedExecutionRunId: 'run-1' },
    };
    expect(actionsOf([first])).toEqual({ starts: 3 });
    expect(actionsOf([first, next])).toEqual({ starts: 4 });
  });

  it('are none for a patch, nor for a second marker of one workflow task', () => {
    const marker = (markerName: string, task: number): RawEvent => ({
      markerRecordedEventAttributes: { markerName, workflowTaskCompletedEventId: task as never },
    });
    const patched: RawEvent = {
      upsertWorkflowSearchAttributesEventAttributes: {
        searchAttributes: { indexedFields: { TemporalChangeVersion: {} } },
      },
    };
    const local = 'core_local_activity';
    expect(actionsOf([marker('core_patch', 4), patched])).toEqual({});
    expect(actionsOf([marker(local, 4), marker(local, 4), marker(local, 9)])).toEqual({ markers: 2 });
    // Each history counts its events anew.
    const next = { workflowExecutionStartedEventAttributes: { continuedExecutionRunId: 'run-1' } };
    const both = [marker(local, 4), next, marker(local, 4), marker(local, 4)];
    expect(actionsOf(both)).toEqual({ starts: 1, markers: 2 });
  });
});
