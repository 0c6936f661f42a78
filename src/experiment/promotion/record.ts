import { z } from 'zod';

const rfc3339 = z.iso.datetime().describe('RFC 3339, UTC.');

/** How a promotion stands or ended. */
export const promotionOutcomes = ['Running', 'Promoted', 'Rejected', 'Expired', 'Stopped', 'Error'] as const;

const decisionSchema = z
  .object({
    request: z.enum(['approve', 'reject', 'override', 'retry', 'stop']),
    actor: z.string(),
    role: z.string().optional(),
    reason: z.string(),
    at: rfc3339,
    stage: z.string().optional().describe('Absent where none had begun.'),
  })
  .describe('Who said what, when and why.');

/** What a person said. */
export type Decision = z.output<typeof decisionSchema>;

const runSchema = z.object({
  experiment: z.string(),
  purpose: z.enum(['stage', 'soak']),
  attempt: z.int().min(1),
  workflowId: z.string(),
  runId: z.string().optional().describe('Absent where it could not be started.'),
  verdict: z.enum(['Running', 'Pass', 'Fail', 'Inconclusive', 'Error', 'Stopped', 'Skipped']),
  reason: z.string(),
  spec: z.string().describe('Digest of the experiment but for where it is run.'),
  worse: z.string().optional().describe('How it was worse than the last passed run of its spec.'),
  environment: z.string().optional(),
  startedAt: rfc3339,
  endedAt: rfc3339.optional(),
  link: z.string().optional().describe('The run in Temporal’s Web UI.'),
});

/** One run of a stage, and where its evidence is. */
export type PromotionRun = z.output<typeof runSchema>;

const gateRecordSchema = z.object({
  kind: z.enum(['auto', 'approval', 'soak', 'window']),
  attempt: z.int().min(1),
  since: rfc3339,
  until: rfc3339.optional().describe('When it opens, or expires.'),
  approvals: z.array(decisionSchema),
  openedAt: rfc3339.optional(),
  how: z.string().optional(),
});

/** How a gate went. */
export type GateRecord = z.output<typeof gateRecordSchema>;

const stageRecordSchema = z.object({
  name: z.string(),
  taskQueue: z.string(),
  state: z.enum(['pending', 'running', 'waiting', 'held', 'passed', 'overridden', 'not passed']),
  attempt: z.int().min(0),
  lack: z.string().optional().describe('Why it does not go on, or did not.'),
  until: rfc3339.optional().describe('How long it is held.'),
  answers: z.array(z.string()).optional().describe('Command lines that answer what it waits for.'),
  runs: z.array(runSchema),
  gates: z.array(gateRecordSchema),
  proof: z.string().optional().describe('What proved it, before any run.'),
  passedAt: rfc3339.optional(),
});

/** How a stage went. */
export type StageRecord = z.output<typeof stageRecordSchema>;

/** What a promotion gives: who let what pass, when, on what evidence. */
export const promotionRecordSchema = z
  .object({
    schema: z.literal('leaderfall.io/promotion/v1'),
    promotion: z.object({ temporalNamespace: z.string(), workflowId: z.string(), runId: z.string() }),
    name: z.string(),
    subject: z.string(),
    startedBy: z.string().optional(),
    outcome: z.enum(promotionOutcomes),
    reason: z.string(),
    startedAt: rfc3339,
    endedAt: rfc3339.optional(),
    stages: z.array(stageRecordSchema),
    decisions: z.array(decisionSchema),
    hooks: z.array(z.object({ hook: z.string(), outcome: z.string() })),
    timeline: z.array(z.object({ at: rfc3339, stage: z.string().optional(), text: z.string() })),
    link: z.string().optional(),
  })
  .describe('Leaderfall promotion record');

/** What a promotion gives. */
export type PromotionRecord = z.output<typeof promotionRecordSchema>;
