import { createHash } from 'node:crypto';
import { detailsOf, summaryOf } from '../experiment/describe.ts';
import type { RunIdentity } from '../experiment/identity.ts';
import { parseExperiment } from '../experiment/parse.ts';
import { type Promotion, parsePromotion } from '../experiment/promotion/promotion.ts';
import type { PromotionRecord } from '../experiment/promotion/record.ts';
import { chaosText } from '../experiment/spec-hash.ts';
import { nextOpening } from '../experiment/window.ts';
import type { PromotionActivities } from './contract.ts';
import { post } from './post.ts';
import { readSecret } from './secrets.ts';
import { runStep } from './step.ts';

/** What the worker gives to a promotion's activities. */
export interface PromotionDependencies {
  /** Folder in which each file is a secret: its name, and its content but for white space at the end. */
  secretsFolder?: string;
  /** Address of Temporal's Web UI. */
  webUi?: string;
  /** The record of an ended promotion; undefined where there is none. */
  findRecord(workflowId: string): Promise<PromotionRecord | undefined>;
  /** Asks Temporal to cancel a workflow. */
  cancelRun(run: RunIdentity): Promise<void>;
}

/** All steps of a promotion with what they need. */
export function createPromotionActivities(deps: PromotionDependencies): PromotionActivities {
  return {
    checkPromotion: (input) =>
      runStep('resolve', async () => {
        const promotion = parsePromotion(input);
        await Promise.all(secretsOf(promotion).map((name) => readSecret(deps.secretsFolder, name)));
        const experiments = promotion.stages.map((stage) => stage.experiments.map(aboutExperiment));
        return { promotion, experiments, ...(deps.webUi ? { webUi: deps.webUi } : {}) };
      }),
    findRecord: (workflowId) => runStep('resolve', () => deps.findRecord(workflowId)),
    nextOpening: ({ times, now }) => runStep('resolve', async () => nextOpening(times, now)),
    post: (request) => runStep('record', ({ signal }) => post(request, deps.secretsFolder, signal)),
    keepRecord: (record) =>
      runStep('record', async () => {
        if (record.outcome === 'Stopped') await deps.cancelRun(record.promotion);
        return record;
      }),
  };
}

function aboutExperiment(input: unknown) {
  const { experiment } = parseExperiment(input);
  const spec = createHash('sha256').update(chaosText(experiment)).digest('hex').slice(0, 16);
  return { name: experiment.name, spec, summary: summaryOf(experiment), details: detailsOf(experiment) };
}

function secretsOf({ notify, onPromoted, onRejected }: Promotion): string[] {
  const endpoints = [...notify, ...[...onPromoted, ...onRejected].filter((hook) => hook.kind === 'http')];
  const names = endpoints.flatMap(({ urlFrom, secret }) => [urlFrom, secret]);
  return [...new Set(names)].filter((name) => name !== undefined);
}
