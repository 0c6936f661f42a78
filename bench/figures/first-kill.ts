import { eventAt, type Figure, type MeasuredRun, seconds, stepMs } from '../figure.ts';

/** What the tool itself adds before the first kill: neither installing a Kafka nor waiting for a steady stream counts. */
export const firstKill: Figure = {
  id: 'start-to-first-kill',
  title: 'start → first kill, without provisioning and the steady wait',
  unit: 's',
  aim: 2,
  litmus: '12.6–14.9 (liveness ready → first kill)',
  measure: (run) => {
    const whole = untilFirstKill(run);
    const waited = stepMs(run.events, 'provision') + stepMs(run.events, 'startLiveness');
    return whole === undefined ? [] : [seconds(whole - waited)];
  },
};

/** What a person waits for. */
export const wholeFirstKill: Figure = {
  id: 'start-to-first-kill-whole',
  title: 'start → first kill, everything',
  unit: 's',
  litmus: '27.5–37.0',
  measure: (run) => {
    const whole = untilFirstKill(run);
    return whole === undefined ? [] : [seconds(whole)];
  },
};

function untilFirstKill({ events, deletions }: MeasuredRun): number | undefined {
  const started = eventAt(events, ({ kind }) => kind === 'started');
  const [first] = deletions;
  return started === undefined || first === undefined ? undefined : first - started;
}
