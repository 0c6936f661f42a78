import { z } from 'zod';
import { durationSchema as duration } from '../duration-schema.ts';
import { millisecondsOf } from '../durations.ts';
import { inputInvalid, issuesOf } from '../issues.ts';
import { parseExperiment } from '../parse.ts';
import { openTimesIssues, openTimesSchema } from '../window.ts';
import { channelSchema, hookSchema } from './channel.ts';
import { maxRuns, repeatsOf } from './size.ts';

/** Most repeats of one soak. */
const maxRepeats = 100;

const person = z.string().trim().min(1).max(200);

const label = z
  .string()
  .max(63)
  .regex(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'must be lower case letters, digits and dashes');

const gateSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('auto') }).describe('Opens by itself once every run of the stage passed.'),
  z
    .strictObject({
      kind: z.literal('approval'),
      approvers: z
        .array(z.strictObject({ name: person, role: person.optional() }))
        .min(1)
        .describe('Who may approve; one with a role has to state it.'),
      needed: z.int().min(1).default(1).describe('So many of them have to.'),
      fourEyes: z.boolean().default(true).describe('The starter does not count.'),
      expires: duration.default('24h').describe('Without enough approvals by then the promotion is Expired.'),
    })
    .describe('Opens by people.'),
  z
    .strictObject({
      kind: z.literal('soak'),
      duration: duration.describe('How long.'),
      every: duration.default('1h').describe('The stage’s experiments are repeated at this interval.'),
    })
    .describe('Opens when every repeat passed and none was worse than the last passed run of its spec.'),
  openTimesSchema
    .extend({
      kind: z.literal('window'),
      expires: duration.optional().describe('Not open by then: the promotion is Expired.'),
    })
    .describe('Opens at certain times.'),
]);

const stageSchema = z.strictObject({
  name: label,
  environment: z
    .strictObject({
      name: label
        .optional()
        .describe('LEADERFALL_ENVIRONMENT of its worker; a run that says otherwise does not count.'),
      taskQueue: z
        .string()
        .min(1)
        .default('leaderfall')
        .describe('Queue of the environment’s own worker, whose kube context and rights are its own.'),
    })
    .prefault({}),
  experiments: z
    .array(z.unknown())
    .min(1)
    .max(20)
    .describe('Each as a file of `leaderfall run` would hold it.'),
  within: duration
    .default('6h')
    .describe(
      'A run that is not over by then, for want of a worker too, is asked to stop and counts as Error.',
    ),
  sideBySide: z.boolean().default(false).describe('All at once; else in order, up to the first not passed.'),
  proof: z
    .strictObject({
      stage: label.describe('Whose passed runs prove it.'),
      promotion: z
        .string()
        .min(1)
        .optional()
        .describe('Workflow id of an ended promotion that has that stage; default this one.'),
      maxAge: duration.default('24h'),
    })
    .optional()
    .describe(
      'Demands, before any run: each experiment has passed there, same spec, same subject, not older.',
    ),
  gates: z
    .array(gateSchema)
    .min(1)
    .max(10)
    .default([{ kind: 'auto' }])
    .describe('After the runs have passed, one after the other.'),
  hold: duration
    .default('1h')
    .describe('So long a stage that did not pass waits for retry or override; then Rejected.'),
});

/** What a person writes: a subject, and the stages that it has to pass. */
export const promotionSchema = z
  .strictObject({
    name: label.default('promotion'),
    subject: z
      .string()
      .min(1)
      .max(500)
      .describe('What is promoted: an image digest, a Git SHA, a change id. Never interpreted.'),
    startedBy: person.optional().describe('Who starts it; four eyes need to know.'),
    overriders: z.array(person).default([]).describe('Who may override what stops a stage.'),
    stages: z.array(stageSchema).min(1).max(10),
    notify: z.array(channelSchema).max(10).default([]).describe('Who is told how it goes.'),
    onPromoted: z.array(hookSchema).max(10).default([]).describe('Done once it is Promoted.'),
    onRejected: z
      .array(hookSchema)
      .max(10)
      .default([])
      .describe('Done once it is Rejected or Expired, or broke.'),
  })
  .describe('Leaderfall promotion');

/** A promotion with its defaults filled. */
export type Promotion = z.output<typeof promotionSchema>;

/** One stage of it. */
export type Stage = Promotion['stages'][number];

/** One gate of a stage. */
export type Gate = Stage['gates'][number];

/** A gate of one kind. */
export type GateOf<Kind extends Gate['kind']> = Extract<Gate, { kind: Kind }>;

/** Reads a promotion. Throws INPUT_INVALID with every issue; those of its experiments name the stage. */
export function parsePromotion(input: unknown): Promotion {
  const fields = typeof input === 'object' && input !== null && !Array.isArray(input) ? input : {};
  const { apiVersion, kind, ...rest } = fields as Record<string, unknown>;
  const issues: string[] = [];
  if (apiVersion !== undefined && apiVersion !== 'leaderfall.io/v1')
    issues.push('apiVersion: must be leaderfall.io/v1');
  if (kind !== undefined && kind !== 'Promotion') issues.push('kind: must be Promotion');
  const parsed = promotionSchema.safeParse(rest);
  if (!parsed.success) issues.push(...issuesOf(parsed.error, promotionSchema));
  else {
    issues.push(...parsed.data.stages.flatMap((stage, index) => stageIssues(parsed.data, stage, index)));
    if (issues.length === 0) issues.push(...runsIssues(parsed.data));
  }
  if (issues.length > 0 || !parsed.success)
    throw inputInvalid(issues, '`leaderfall schema promotion` prints every field with its default.');
  return parsed.data;
}

function stageIssues({ stages, startedBy }: Promotion, stage: Stage, index: number): string[] {
  const at = `stages.${index}`;
  const issues = stage.gates.flatMap((gate, order) =>
    gateIssues(gate, startedBy).map((issue) => `${at}.gates.${order}.${issue}`),
  );
  const before = stages.slice(0, index).map(({ name }) => name);
  if (before.includes(stage.name)) issues.push(`${at}.name: ${stage.name} is there twice`);
  const { proof } = stage;
  if (proof && proof.promotion === undefined && !before.includes(proof.stage))
    issues.push(`${at}.proof.stage: no earlier stage is called ${proof.stage}`);
  for (const [order, experiment] of stage.experiments.entries()) {
    try {
      parseExperiment(experiment);
    } catch (error) {
      issues.push(`${at}.experiments.${order}.${(error as Error).message}`);
    }
  }
  return issues;
}

function runsIssues({ stages }: Promotion): string[] {
  const runs = stages.reduce((sum, { experiments, gates }) => {
    const repeats = gates.reduce((all, gate) => all + (gate.kind === 'soak' ? repeatsOf(gate) : 0), 1);
    return sum + repeats * experiments.length;
  }, 0);
  return runs <= maxRuns
    ? []
    : [`stages: ${runs} runs, the repeats of soaks included; at most ${maxRuns} in one promotion`];
}

function gateIssues(gate: Gate, startedBy: string | undefined): string[] {
  if (gate.kind === 'window') return openTimesIssues(gate);
  if (gate.kind === 'soak') {
    const every = millisecondsOf(gate.every);
    const repeats = repeatsOf(gate);
    if (every === 0 || repeats > maxRepeats) return [`every: more than ${maxRepeats} repeats`];
    return repeats === 0 ? ['duration: must be longer than 0'] : [];
  }
  if (gate.kind === 'auto') return [];
  const names = new Set(gate.approvers.map(({ name }) => name));
  if (gate.fourEyes && startedBy === undefined)
    return ['fourEyes: needs to know who starts it; give startedBy'];
  if (gate.fourEyes) names.delete(startedBy ?? '');
  return gate.needed > names.size
    ? [`needed: ${gate.needed} of ${names.size} who may approve cannot be had`]
    : [];
}
