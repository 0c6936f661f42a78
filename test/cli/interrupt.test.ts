import { afterEach, describe, expect, it } from 'vitest';
import { interruptPolicy, onInterrupt } from '../../src/cli/interrupt.ts';

describe('Ctrl-C', () => {
  it('asks a person, aborts under CI, detaches else; the flag decides before all', () => {
    expect(interruptPolicy({ terminal: true, ci: true })).toBe('ask');
    expect(interruptPolicy({ terminal: false, ci: true })).toBe('abort');
    expect(interruptPolicy({ terminal: false, ci: false })).toBe('detach');
    expect(interruptPolicy({ flag: 'detach', terminal: false, ci: true })).toBe('detach');
    expect(interruptPolicy({ flag: 'abort', terminal: true, ci: false })).toBe('abort');
  });

  it('with an unknown policy is an error of use', () => {
    expect(() => interruptPolicy({ flag: 'kill', terminal: true, ci: false })).toThrow('--on-interrupt');
  });
});

describe('a signal', () => {
  let release: (() => void) | undefined;
  afterEach(() => release?.());

  /** Handlers run by events, not by real signals, which would reach the test runner. */
  function listen(policy: 'ask' | 'abort' | 'detach', answer?: Promise<'abort' | 'detach'>): string[] {
    const acts: string[] = [];
    release = onInterrupt(policy, {
      abort: () => acts.push('abort'),
      detach: () => acts.push('detach'),
      ask: () => answer ?? Promise.reject(new Error('nobody is to be asked')),
    });
    return acts;
  }

  const emit = () => process.emit('SIGINT', 'SIGINT');
  const settled = () => new Promise((resolve) => setImmediate(resolve));

  it('aborts, and a second one stops watching', () => {
    const acts = listen('abort');
    emit();
    emit();
    expect(acts).toEqual(['abort', 'detach']);
  });

  it('does what the person answers', async () => {
    const acts = listen('ask', Promise.resolve('abort'));
    emit();
    await settled();
    expect(acts).toEqual(['abort']);
  });

  it('that comes while the person is asked stops watching, whatever is answered later', async () => {
    let answer: (choice: 'abort') => void = () => undefined;
    const acts = listen(
      'ask',
      new Promise((resolve) => {
        answer = resolve;
      }),
    );
    emit();
    emit();
    answer('abort');
    await settled();
    expect(acts).toEqual(['detach']);
  });

  it('is nobody’s business any more once the run is over', () => {
    const before = process.listenerCount('SIGINT');
    listen('abort');
    release?.();
    expect(process.listenerCount('SIGINT')).toBe(before);
  });
});
