import type { Gate, Promotion } from './promotion.ts';
import type { Decision } from './record.ts';

/** What is waited for: a gate, or what people say about a stage that is held. */
export type WaitsFor = Gate | { kind: 'held' };

/**
 * Command lines that answer a stage which waits, one for each person who may send it; as they stand they are accepted, and TEXT is
 * for the reason. Who is among the `approvals` has approved already.
 */
export function answersTo(
  promotion: Promotion,
  workflowId: string,
  stage: string,
  waitsFor: WaitsFor,
  approvals: Decision[] = [],
): string[] {
  const { startedBy, overriders } = promotion;
  const line = (verb: string, actor: string, role?: string) =>
    [
      ...['leaderfall', 'promote', verb, workflowId, '--stage', stage, '--actor', actor],
      ...(role === undefined ? [] : ['--role', role]),
      ...['--reason', 'TEXT'],
    ]
      .map(shellWord)
      .join(' ');
  const overrides = overriders.filter((name) => name !== startedBy).map((name) => line('override', name));
  if (waitsFor.kind === 'approval') {
    const { approvers, fourEyes } = waitsFor;
    const asked = approvers.filter(({ name }) => !fourEyes || name !== startedBy);
    const left = asked.filter(({ name }) => !approvals.some(({ actor }) => actor === name));
    return [
      ...left.map(({ name, role }) => line('approve', name, role)),
      ...asked.slice(0, 1).map(({ name }) => line('reject', name)),
    ];
  }
  if (waitsFor.kind !== 'held') return overrides;
  const [somebody] = [startedBy, ...overriders].filter((name) => name !== undefined);
  return [
    line('retry', somebody ?? 'NAME'),
    ...overrides,
    ...(somebody === undefined ? [] : [line('reject', somebody)]),
  ];
}

/** A word as a POSIX shell takes it. */
function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
