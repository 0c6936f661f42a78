import { actionKinds, type BilledActions, totalOf } from '../experiment/billed-actions.ts';
import { countKills } from '../experiment/earlier-kills.ts';
import type { KillProof, KillRecord } from '../experiment/kill-record.ts';
import type { ChaosResult, Leftover } from '../experiment/result.ts';
import { streamText } from '../experiment/stream-options.ts';
import type { VerdictLine } from '../experiment/verdict-line.ts';
import { clock, duration, times } from './format.ts';

/** A name and what was found for it. */
export type Fact = [name: string, value: string];

/** A table as every format shows it: each row as long as the head. */
export interface FactTable {
  head: string[];
  rows: string[][];
}

/** Which run it was, and when. */
export function runFacts({ run, startedAt, endedAt, failStep, actions }: ChaosResult): Fact[] {
  const took = duration(Date.parse(endedAt) - Date.parse(startedAt));
  return [
    ['workflow', `${run.workflowId} in Temporal namespace ${run.temporalNamespace}`],
    ['run', run.runId],
    ['time', `${startedAt} to ${clock(endedAt)} (${took})`],
    ...(failStep ? [['failed step', failStep] satisfies Fact] : []),
    ...(actions ? [actionFact(actions)] : []),
  ];
}

function actionFact(actions: BilledActions): Fact {
  const kinds = actionKinds.flatMap((kind) => (actions[kind] ? [`${kind} ${actions[kind]}`] : []));
  const made = kinds.length > 0 ? ` (${kinds.join(', ')})` : '';
  return ['Temporal', `${totalOf(actions)} Actions by history${made}; heartbeats not counted`];
}

/** What was attacked, with which versions, and the broker settings that bound an outage. */
export function environmentFacts({ kafka, versions, experiment }: ChaosResult): Fact[] {
  const named = Object.entries(versions).map(([name, version]): Fact => ['version', `${name} ${version}`]);
  // Results of earlier versions name no options of the stream.
  const stream: Fact[] = experiment?.liveness.acks ? [['stream', streamText(experiment.liveness)]] : [];
  if (!kafka) return [...named, ...stream];
  const { statefulSet, brokerIds, provisioner, reach, packages, settings, gracePeriodSeconds } = kafka;
  const images = Object.entries(kafka.images ?? {});
  return [
    [
      'kafka',
      `${statefulSet.namespace}/${statefulSet.name}, ${brokerIds.length} brokers (${brokerIds.join(', ')})`,
    ],
    ['came by', `${provisioner}, reached ${reach}`],
    ...packages.map(({ name, operatorVersion, digest, rewrites }): Fact => {
      const rewritten = rewrites.length > 0 ? `; rewritten: ${rewrites.join('; ')}` : '';
      return ['package', `${name} ${operatorVersion}, sha256 ${digest.slice(0, 12)}${rewritten}`];
    }),
    ...named,
    ...images.map(([of, image]): Fact => ['image', `${of} ${image}`]),
    ...stream,
    ['grace', `${gracePeriodSeconds} s for a broker to shut down`],
    ...Object.entries(settings).map(([name, value]): Fact => ['setting', `${name} = ${value}`]),
  ];
}

/** One row a line of the verdict: what was required, what was observed, what came of it. */
export function lineTable(lines: VerdictLine[]): FactTable {
  return {
    head: ['line', 'required', 'observed', 'outcome'],
    rows: lines.map(({ what, required, observed, outcome, origin }) => [
      what,
      origin === 'default' ? `${required} (default)` : required,
      observed,
      outcome,
    ]),
  };
}

/** One row a kill. */
export function killTable(kills: KillRecord[]): FactTable {
  return {
    head: [
      '#',
      'deadline',
      'broker',
      'pod',
      'late',
      'death',
      'exit',
      'new leader',
      'ISR full',
      'outage',
      'outcome',
    ],
    rows: kills.map(({ index, deadline, plan, proof, latenessMs, status }) => [
      String(index + 1),
      clock(deadline),
      plan ? String(plan.broker) : '-',
      plan?.pod ?? '-',
      duration(latenessMs),
      proof?.death ?? '-',
      proof?.exitCode === undefined ? '-' : String(proof.exitCode),
      proof?.newLeader === undefined ? '-' : `${proof.newLeader} in ${duration(proof.timeToNewLeaderMs)}`,
      duration(proof?.timeToFullIsrMs),
      outageText(proof),
      status,
    ]),
  };
}

/** `310 ms of 2.0 s`: what was observed, of what was to be expected at most. */
function outageText(proof: KillProof | undefined): string {
  const { outageMs, expectedOutage } = proof ?? {};
  const observed = outageMs === 0 ? 'none' : duration(outageMs);
  return expectedOutage?.ms === undefined ? observed : `${observed} of ${duration(expectedOutage.ms)}`;
}

/** `2 of 3 proven` */
export function provenKills(result: ChaosResult): string {
  return `${countKills(result, 'proven')} of ${result.plannedKills} proven`;
}

/** What a kill's row does not say. */
export function killRemarks({ index, plan, proof, reason, retargets }: KillRecord): string[] {
  const name = `kill ${index + 1}`;
  const remarks: string[] = [];
  if (reason) remarks.push(`${name}: ${reason}`);
  if (plan && plan.guardReasons.length > 0) {
    remarks.push(`${name} waited ${duration(plan.guardWaitMs)}: ${plan.guardReasons.join('; ')}`);
  }
  if (retargets > 0) remarks.push(`${name} was aimed again ${times(retargets)}, because leadership moved`);
  if (proof?.replacementRestarts) {
    remarks.push(`${name}: the new pod restarted ${times(proof.replacementRestarts)} before it stayed`);
  }
  if (proof?.expectedOutage) {
    const { ms, because } = proof.expectedOutage;
    const bound = ms === undefined ? 'has no known bound' : `is ${duration(ms)} at most`;
    const longer = ms !== undefined && (proof.outageMs ?? 0) > ms;
    if (longer)
      remarks.push(`${name}: the outage of ${duration(proof.outageMs)} was longer than to be expected`);
    remarks.push(`${name}: the outage to expect of this death ${bound}: ${because.join('; ')}`);
  }
  return remarks;
}

/** `Topic/leaderfall-1 in kafka` */
export function leftoverName({ kind, name, namespace }: Leftover): string {
  return `${kind}/${name}${namespace ? ` in ${namespace}` : ''}`;
}
