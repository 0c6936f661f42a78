import type { GateOf, Promotion } from './promotion.ts';
import type { Decision, PromotionRecord, StageRecord } from './record.ts';
import { maxRuns } from './size.ts';

/** What a person can ask of a live promotion; names of the workflow's updates. */
export const decisions = {
  approve:
    'Approve the stage that waits for it. Input: {"actor": "…", "reason": "…", "role": "…", "stage": "…"}; role and stage optional.',
  reject:
    'End the promotion as Rejected; runs under way are stopped and clean up. Input: {"actor": "…", "reason": "…"}.',
  override:
    'Let the stage go on in spite of what holds it. Input: {"actor": "…", "reason": "…", "stage": "…"}; stage optional.',
  retry: 'Begin the held stage anew. Input: {"actor": "…", "reason": "…", "stage": "…"}; stage optional.',
  stop: 'End the promotion as Stopped; runs under way are stopped and clean up. Input: {"actor": "…", "reason": "…"}.',
} as const;

/** The name of one request. */
export type DecisionRequest = keyof typeof decisions;

/** What a person says with a request. */
export type Said = Pick<Decision, 'actor' | 'reason' | 'role'> & { stage?: string };

/** Reads the input of a request. Throws an Error whose message names the wrong field. */
export function readDecision(input: unknown): Said {
  if (typeof input !== 'object' || input === null || Array.isArray(input))
    throw new Error('input: one object with actor and reason is expected');
  const { actor, reason, role, stage, ...unknown } = input as Record<string, unknown>;
  const [stray] = Object.keys(unknown);
  if (stray !== undefined) throw new Error(`${stray}: unknown field; known: actor, reason, role, stage`);
  return {
    actor: text('actor', actor, 200),
    reason: text('reason', reason, 500),
    ...(role === undefined ? {} : { role: text('role', role, 200) }),
    ...(stage === undefined ? {} : { stage: text('stage', stage, 200) }),
  };
}

function text(field: string, value: unknown, length: number): string {
  if (typeof value !== 'string' || value.trim() === '')
    throw new Error(`${field}: missing; a text is expected`);
  return value.trim().slice(0, length);
}

/** The stage that a promotion is at; undefined before the first and after the last. */
export function currentStage({ stages }: PromotionRecord): StageRecord | undefined {
  return stages.find(({ state }) => ['running', 'waiting', 'held', 'not passed'].includes(state));
}

/** Why a request cannot be done now, for the person who asked; undefined where it can. */
export function decisionRefusal(
  request: DecisionRequest,
  said: Said,
  promotion: Promotion | undefined,
  record: PromotionRecord,
): string | undefined {
  const stage = currentStage(record);
  if (record.outcome !== 'Running') return `the promotion is ${record.outcome} already`;
  if (request === 'stop') return undefined;
  if (!promotion || !stage) return 'no stage has begun yet';
  if (said.stage !== undefined && said.stage !== stage.name)
    return `stage: the promotion is at ${stage.name}, not at ${said.stage}`;
  switch (request) {
    case 'approve':
      return approvalRefusal(said, promotion, stage);
    case 'reject':
      return mayReject(said.actor, promotion)
        ? undefined
        : `actor: ${said.actor} has no say in this promotion`;
    case 'override':
      return overrideRefusal(said, promotion, stage);
    case 'retry':
      return retryRefusal(stage, record);
  }
}

function retryRefusal({ name, state }: StageRecord, { stages }: PromotionRecord): string | undefined {
  if (state !== 'held') return `stage ${name} is ${state}, not held`;
  const runs = stages.flatMap((stage) => stage.runs).length;
  return runs < maxRuns ? undefined : `the promotion has had ${runs} runs: start another one`;
}

/** The approval gate that a stage waits at. */
export function openApproval(
  promotion: Promotion,
  stage: StageRecord,
): { gate: GateOf<'approval'>; approvals: Decision[] } | undefined {
  const gates = promotion.stages.find(({ name }) => name === stage.name)?.gates ?? [];
  const here = stage.gates.filter(({ attempt }) => attempt === stage.attempt);
  const gate = gates[here.length - 1];
  const last = here.at(-1);
  return stage.state === 'waiting' && gate?.kind === 'approval' && last && !last.openedAt
    ? { gate, approvals: last.approvals }
    : undefined;
}

function approvalRefusal(
  { actor, role }: Said,
  promotion: Promotion,
  stage: StageRecord,
): string | undefined {
  const open = openApproval(promotion, stage);
  if (!open) return `stage ${stage.name} is ${stage.state} and waits for no approval`;
  const { gate, approvals } = open;
  const approver = gate.approvers.find(({ name }) => name === actor);
  if (!approver)
    return `actor: ${actor} is no approver of ${stage.name}; they are ${gate.approvers.map(({ name }) => name).join(', ')}`;
  if (approver.role !== undefined && approver.role !== role)
    return `role: ${actor} approves as ${approver.role}`;
  if (gate.fourEyes && actor === promotion.startedBy)
    return `actor: ${actor} started the promotion, and somebody else has to approve it`;
  return approvals.some((one) => one.actor === actor) ? `${actor} has approved already` : undefined;
}

function mayReject(actor: string, { startedBy, overriders, stages }: Promotion): boolean {
  const approvers = stages.flatMap(({ gates }) =>
    gates.flatMap((gate) => (gate.kind === 'approval' ? gate.approvers.map(({ name }) => name) : [])),
  );
  return actor === startedBy || [...overriders, ...approvers].includes(actor);
}

function overrideRefusal(
  { actor }: Said,
  { overriders, startedBy }: Promotion,
  stage: StageRecord,
): string | undefined {
  if (!overriders.includes(actor))
    return `actor: ${actor} may not override; ${overriders.length > 0 ? `${overriders.join(', ')} may` : 'the promotion names nobody in overriders'}`;
  if (actor === startedBy) return `actor: ${actor} started the promotion, and somebody else has to override`;
  if (stage.state === 'held') return undefined;
  const kind = stage.gates.at(-1)?.kind;
  if (stage.state !== 'waiting') return `stage ${stage.name} is ${stage.state}: nothing holds it`;
  return kind === 'approval' ? 'an approval is given by approve, not overridden' : undefined;
}
