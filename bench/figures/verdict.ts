import { eventAt, type Figure, type MeasuredRun, seconds } from '../figure.ts';

/** All replicas are in sync again after the last kill → the verdict stands in history (clean-up begins with it). */
export const lastRecoveryToVerdict: Figure = {
  id: 'last-recovery-to-verdict',
  title: 'last recovery → verdict',
  unit: 's',
  aim: 2,
  litmus: '84 from the last kill (227 with Error)',
  measure: (run) => since(lastRecovery(run), judgedAt(run)),
};

/** With clean-up: what a person waits for. */
export const lastRecoveryToEnd: Figure = {
  id: 'last-recovery-to-end',
  title: 'last recovery → end of the run, cleaned up',
  unit: 's',
  litmus: 'leaves a topic and a ChaosResult',
  measure: (run) =>
    since(
      lastRecovery(run),
      eventAt(run.events, ({ kind }) => kind === 'closed'),
    ),
};

/** Comparable with Litmus, whose verdict comes with its clean-up. The brokers' own recovery is in it. */
export const lastKillToEnd: Figure = {
  id: 'last-kill-to-end',
  title: 'last kill → end of the run, recovery included',
  unit: 's',
  litmus: '84 (227 with Error)',
  measure: (run) =>
    since(
      run.deletions.at(-1),
      eventAt(run.events, ({ kind }) => kind === 'closed'),
    ),
};

/** Latest full ISR by the observer, epoch ms. */
function lastRecovery({ result }: MeasuredRun): number | undefined {
  const recoveries = (result?.kills ?? []).flatMap(({ act, proof }) =>
    act?.outcome === 'deleted' && proof?.timeToFullIsrMs !== undefined
      ? [act.requestedAt + proof.timeToFullIsrMs]
      : [],
  );
  return recoveries.length > 0 ? Math.max(...recoveries) : undefined;
}

function judgedAt({ events }: MeasuredRun): number | undefined {
  return eventAt(events, (event) => event.kind === 'scheduled' && event.activity === 'cleanUp');
}

function since(from: number | undefined, to: number | undefined): number[] {
  return from === undefined || to === undefined ? [] : [seconds(to - from)];
}
