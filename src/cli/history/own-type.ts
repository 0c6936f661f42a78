import { problem } from '../../experiment/errors.ts';

/** Workflow types that commands take by a workflow id: a run, and a promotion of several. */
export type OwnType = 'kafkaBrokerFailure' | 'promotion';

const names: Record<OwnType, string> = { kafkaBrokerFailure: 'run', promotion: 'promotion' };

/** Throws INPUT_INVALID where a workflow is not what a command is for, with the command to be used instead. */
export function insistOnType(
  workflowId: string,
  type: string,
  expected: OwnType = 'kafkaBrokerFailure',
): void {
  if (type === expected) return;
  const next =
    type === 'promotion'
      ? `leaderfall promote status ${workflowId}; leaderfall promote stop ${workflowId} ends it.`
      : `leaderfall ${expected === 'promotion' ? 'promote ' : ''}list shows those that are kept.`;
  throw problem('INPUT_INVALID', `${workflowId} is no ${names[expected]} but a workflow of type ${type}`, {
    next,
  });
}
