import { pause } from '../kubernetes/wait.ts';
import { brokenSlo } from './broken-slo.ts';
import type { Activities } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { runStep } from './step.ts';

/** From one look to the next: what is broken is then told well within a second. ms */
const lookMs = 500;

/** Looks at the stream until a line of `abortOn` is broken. A pod that does not answer is for other steps to judge. */
export function makeWatchSlo(deps: ActivityDependencies): Activities['watchSlo'] {
  return ({ resolved, liveness, kills }) =>
    runStep('kill', async ({ signal }) => {
      for (;;) {
        const next = Date.now() + lookMs;
        const broken = await brokenSlo(deps.kubernetes, liveness, resolved.experiment, kills);
        if (broken && broken !== 'unseen') return broken;
        await pause(next - Date.now(), signal);
      }
    });
}
