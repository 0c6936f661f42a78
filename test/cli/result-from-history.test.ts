import { describe, expect, it } from 'vitest';
import { resultFromHistory } from '../../src/cli/history/result-from-history.ts';
import type { RunEvent } from '../../src/cli/history/run-event.ts';
import type { Problem } from '../../src/experiment/errors.ts';
import type { Verdict } from '../../src/experiment/result.ts';

const at = 0;
const started: RunEvent = { kind: 'started', at, input: {}, taskQueue: 'leaderfall' };
const recorded = (verdict: Verdict): RunEvent => ({
  kind: 'completed',
  at,
  activity: 'record',
  result: { schema: 'leaderfall.io/result/v1', verdict, reasons: [verdict] },
});
const problem: Problem = { code: 'TARGET_NOT_FOUND', message: 'gone', retryable: false };

describe('the end of a run', () => {
  it('is not known while it is running', () => {
    expect(resultFromHistory([started, recorded('Pass')])).toBeUndefined();
  });

  it.each([
    ['completed', 'Fail'],
    ['failed', 'Error'],
    ['canceled', 'Stopped'],
  ] as const)('is what record returned when the workflow is %s', (status, verdict) => {
    const end = resultFromHistory([started, recorded(verdict), { kind: 'closed', at, status }]);
    expect(end).toMatchObject({ verdict, result: { verdict, reasons: [verdict] } });
  });

  it('is the last record when there are several', () => {
    const events = [
      started,
      recorded('Pass'),
      recorded('Fail'),
      { kind: 'closed', at, status: 'completed' } as const,
    ];
    expect(resultFromHistory(events)?.verdict).toBe('Fail');
  });

  it('is the failure of a run that recorded nothing', () => {
    const end = resultFromHistory([started, { kind: 'closed', at, status: 'failed', problem }]);
    expect(end).toEqual({ verdict: 'Error', problem });
  });

  it('names who ended it when it was terminated, since no clean-up ran', () => {
    const end = resultFromHistory([started, { kind: 'closed', at, status: 'terminated', reason: 'by hand' }]);
    expect(end?.verdict).toBe('Error');
    expect(end?.problem?.message).toContain('terminated (by hand)');
    expect(end?.problem?.next).toContain('kubectl');
  });

  it('is Stopped when it was cancelled before anything was recorded', () => {
    expect(resultFromHistory([started, { kind: 'closed', at, status: 'canceled' }])?.verdict).toBe('Stopped');
  });

  it('holds the stream’s time series from where the stream was closed', () => {
    const series = { from: 0, stepMs: 1_000, columns: { acked: [100] } };
    const closing: RunEvent = { kind: 'completed', at, activity: 'closeStream', result: { series } };
    const closed: RunEvent = { kind: 'closed', at, status: 'completed' };
    expect(resultFromHistory([started, closing, recorded('Pass'), closed])?.result?.series).toEqual(series);
    expect(resultFromHistory([started, recorded('Pass'), closed])?.result?.series).toBeUndefined();
  });

  it('holds the parts of the stream that all of its histories took, and what was seen after the last', () => {
    const changes = { from: 0, to: 1, packed: '' };
    const series = { from: 0, stepMs: 8_000, columns: {} };
    const taken: RunEvent = {
      kind: 'completed',
      at,
      activity: 'takePart',
      result: { until: 1, series, changes },
    };
    const nothing: RunEvent = { kind: 'completed', at, activity: 'takePart', result: {} };
    const closing: RunEvent = { kind: 'completed', at, activity: 'closeStream', result: { changes } };
    const closed: RunEvent = { kind: 'closed', at, status: 'completed' };
    const events = [started, taken, nothing, closing, recorded('Pass'), closed];
    expect(resultFromHistory(events)?.result?.parts).toEqual([{ series, changes }, {}, { changes }]);
    expect(resultFromHistory([started, recorded('Pass'), closed])?.result?.parts).toBeUndefined();
  });

  it('is looked for in the run that continued it', () => {
    const continued: RunEvent = { kind: 'closed', at, status: 'continued-as-new', nextRunId: 'run-2' };
    expect(resultFromHistory([started, continued])).toBeUndefined();
    const end = resultFromHistory([
      started,
      continued,
      started,
      recorded('Pass'),
      { kind: 'closed', at, status: 'completed' },
    ]);
    expect(end?.verdict).toBe('Pass');
  });
});
