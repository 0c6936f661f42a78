import { ServiceError } from '@temporalio/client';
import { expect, it } from 'vitest';
import { temporalProblem } from '../../src/cli/connect-temporal.ts';
import { exitCodeOf, problemLines } from '../../src/cli/print-problem.ts';
import { newWorkflowId } from '../../src/cli/start-run.ts';
import { webUiOf } from '../../src/cli/web-ui.ts';

const plain = (_: unknown, text: string) => text;

it('writes code, step, cause, evidence and next action', () => {
  const lines = problemLines(
    {
      code: 'POD_WAITING',
      step: 'provision',
      message: 'a pod cannot start',
      evidence: ['kafka-0: ImagePullBackOff'],
      next: 'Correct the image.',
      retryable: false,
    },
    plain,
  );
  expect(lines).toEqual([
    'POD_WAITING in step provision: a pod cannot start',
    '  - kafka-0: ImagePullBackOff',
    '  next: Correct the image.',
  ]);
});

it('ends with 64 for bad input and bad settings, with 3 for everything else', () => {
  const base = { message: '', retryable: false };
  expect(exitCodeOf({ ...base, code: 'INPUT_INVALID' })).toBe(64);
  expect(exitCodeOf({ ...base, code: 'CONFIGURATION_INVALID' })).toBe(64);
  expect(exitCodeOf({ ...base, code: 'TEMPORAL_UNREACHABLE' })).toBe(3);
});

it('makes an answer of Temporal a problem that says what to do', () => {
  const denied = Object.assign(new Error('7 PERMISSION_DENIED: no'), {
    code: 7,
    details: 'no',
    metadata: {},
  });
  const where = { address: 'host:7233', namespace: 'prod' };
  const refused = temporalProblem(new ServiceError('Failed to start Workflow', { cause: denied }), where);
  expect(refused).toMatchObject({
    problem: {
      code: 'TEMPORAL_UNREACHABLE',
      evidence: ['no', 'namespace prod'],
      next: expect.stringContaining('credentials'),
      retryable: false,
    },
  });
  const away = Object.assign(new Error('14 UNAVAILABLE'), { code: 14, details: 'away', metadata: {} });
  expect(temporalProblem(away, where)).toMatchObject({ problem: { retryable: true } });
  const own = new Error('a defect');
  expect(temporalProblem(own, where)).toBe(own);
});

it('guesses the Web UI only for a server on this machine', () => {
  const run = { namespace: 'default', workflowId: 'a/b', runId: 'r' };
  expect(webUiOf('127.0.0.1:7233', run, undefined)).toBe(
    'http://127.0.0.1:8233/namespaces/default/workflows/a%2Fb/r',
  );
  expect(webUiOf('temporal.example.com:7233', run, undefined)).toBeUndefined();
  expect(webUiOf('temporal.example.com:7233', run, 'https://ui.example.com/')).toMatch(
    /^https:\/\/ui.example.com\/name/,
  );
});

it('makes run ids that sort by time and never clash', () => {
  const now = new Date('2026-11-23T07:15:00.123Z');
  const ids = new Set(Array.from({ length: 20 }, () => newWorkflowId('night', now)));
  for (const id of ids) expect(id).toMatch(/^night-20261123-071500-[0-9a-f]{4}$/);
  expect(ids.size).toBeGreaterThan(15);
});
