import { expect, test } from 'vitest';
import {
  readRequest,
  refusalOf,
  reserveLeft,
  type Steering,
  untouched,
} from '../../src/experiment/steering.ts';

const schedule = {
  durationSeconds: 60,
  intervalSeconds: 20,
  recoveryTimeoutSeconds: 180,
  minKills: 3,
};
const none = { kills: 1 };
const asked = { actor: 'ann', reason: 'a release' };

function steering(changes: Partial<Steering>): Steering {
  return { ...untouched(), ...changes };
}

test.each([
  ['pause', { round: 'waiting' }, undefined],
  ['pause', { round: 'waiting', paused: { ...asked, at: 0 } }, 'it is paused already, by ann: a release'],
  ['resume', { round: 'waiting' }, 'it is not paused'],
  ['killNow', { round: 'before' }, 'the stream is not steady yet'],
  ['killNow', { round: 'waiting' }, undefined],
  ['killNow', { round: 'waiting', paused: { ...asked, at: 0 } }, 'it is paused: resume first'],
  ['killNow', { round: 'proving', next: 0 }, 'kill 1 is under way'],
  ['skipNext', { round: 'waiting', skipNext: asked }, 'the next kill is skipped already, by ann'],
  ['skipNext', { round: 'proving', next: 2 }, 'no kill is left to be made'],
  ['extend', { round: 'proving', next: 2 }, 'no kill is left to be made'],
  ['extend', { round: 'proving', next: 1 }, undefined],
  ['pause', { round: 'made' }, 'no kill is left to be made'],
  ['abort', { round: 'made' }, undefined],
  ['abort', { round: 'over' }, 'the run is already ending'],
  ['pause', { round: 'waiting', stoppedBy: asked }, 'the run is already being stopped by ann'],
] as const)('%s with %o: %s', (request, changes, expected) => {
  expect(refusalOf(request, none, steering(changes), schedule, 0)).toBe(expected);
});

test('an extension fits the reserve that pauses have left, to the second', () => {
  const held = steering({ round: 'waiting', shiftMs: 1_700_000 });
  expect(refusalOf('extend', { kills: 5 }, held, schedule, 0)).toBeUndefined();
  expect(refusalOf('extend', { kills: 6 }, held, schedule, 0)).toContain(
    'would outlast the reserve of 1800 s',
  );
});

test('a pause under way uses up the reserve too', () => {
  const held = steering({ round: 'waiting', paused: { ...asked, at: 1_000 } });
  expect(reserveLeft(schedule, held, 61_000)).toBe(1_740_000);
});

test('a request without input is one that nobody signed', () => {
  expect(readRequest('abort', undefined)).toEqual({ actor: 'not given', reason: 'not given', kills: 1 });
});

test.each([
  ['a list', [], 'input: one object'],
  ['an unknown field', { who: 'ann' }, 'who: unknown field; known: reason, actor'],
  ['kills where none are asked for', { kills: 2 }, 'kills: unknown field'],
])('%s is named', (_, input, message) => {
  expect(() => readRequest('pause', input)).toThrow(message);
});
