import { ApplicationFailure, defaultFailureConverter, defaultPayloadConverter } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { expect, onTestFinished, test, vi } from 'vitest';
import { runStep } from '../../src/activities/step.ts';
import { problem } from '../../src/experiment/errors.ts';

const canary = /canary|10\.9\.9\.9/;

/** What a step gave to Temporal: heartbeats, and its failure as it would be in history. */
async function given(work: Parameters<typeof runStep>[1]): Promise<{ beats: unknown[]; failure: string }> {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const environment = new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
  const beats: unknown[] = [];
  environment.on('heartbeat', (details: unknown) => beats.push(details));
  const error = await environment.run(() => runStep('kill', work)).catch((caught: unknown) => caught);
  if (!(error instanceof ApplicationFailure)) throw new Error('the step did not fail');
  const failure = defaultFailureConverter.errorToFailure(error, defaultPayloadConverter);
  return { beats, failure: textOf(failure) };
}

/** JSON with payloads as text. */
function textOf(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    item instanceof Uint8Array ? Buffer.from(item).toString() : item,
  );
}

test('neither failure nor stack nor progress of a step names a host', async () => {
  const { beats, failure } = await given(async ({ progress }) => {
    progress(['asking kafka-0.canary.example.com:9092']);
    vi.advanceTimersByTime(1_000);
    const cause = new Error('connect ECONNREFUSED 10.9.9.9:9092');
    throw problem('KAFKA_UNREACHABLE', 'no answer from canary-broker.example.com:9092', {
      evidence: ['Connection error: getaddrinfo ENOTFOUND canary-broker'],
      cause,
    });
  });
  expect(beats).toContainEqual({ step: 'kill', lines: ['asking <host>'] });
  expect(failure).toContain('no answer from <host>');
  expect(failure).toContain('KAFKA_UNREACHABLE');
  expect(failure).not.toMatch(canary);
});

test('the first text is sent soon, later ones with the next beat', async () => {
  const { beats } = await given(async ({ progress }) => {
    progress(['dying']);
    vi.advanceTimersByTime(1_000);
    progress(['dead']);
    progress(['dead, leader 2 after 300 ms']);
    // Four tenths of the ten seconds after which a step is taken for dead.
    vi.advanceTimersByTime(4_000);
    throw problem('INTERNAL', 'over');
  });
  expect(beats).toEqual([
    { step: 'kill', lines: ['dying'] },
    { step: 'kill', lines: ['dead, leader 2 after 300 ms'] },
  ]);
});

test('a step that is over in a moment costs no beat, whatever it had to say', async () => {
  const { beats } = await given(async ({ progress }) => {
    progress(['annotating']);
    vi.advanceTimersByTime(300);
    throw problem('INTERNAL', 'over');
  });
  vi.advanceTimersByTime(10_000);
  expect(beats).toEqual([]);
});

test('an error of a library loses its hosts too', async () => {
  const { failure } = await given(async () => {
    throw new Error('Failed to connect: canary.example.com:9092', { cause: new Error('10.9.9.9:9092') });
  });
  expect(failure).toContain('Failed to connect: <host>');
  expect(failure).not.toMatch(canary);
});
