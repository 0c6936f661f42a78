import type { Act, Activities, Aim, Closing, KillContext, Resolved } from '../../activities/contract.ts';
import type { BrokenSlo } from '../../experiment/abort-on.ts';
import { targetText } from '../../experiment/describe.ts';
import { killedLeader, killedReplica } from '../../experiment/earlier-kills.ts';
import type { Problem } from '../../experiment/errors.ts';
import type { KillAct, KillPlan, KillProof } from '../../experiment/kill-record.ts';
import type { ProvisionedKafka, StartedLiveness } from '../../experiment/result.ts';
import { plannedKills } from '../../experiment/schedule.ts';
import { clock, duration } from '../../report/format.ts';
import { brokenText } from '../../verdict/words.ts';
import type { ActivityName, RunEvent } from '../history/run-event.ts';
import { type Line, stepOf } from './line.ts';

type Said = Omit<Line, 'at' | 'step'>;
/** A kill and how it was carried out. */
type Made = { plan: KillPlan; act: KillAct };
type Completed = { [Name in ActivityName]?: (result: never, input: never) => Said[] };

/** What a person is told when a step begins; steps that are over at once say nothing. */
const beginnings: Partial<Record<ActivityName, string>> = {
  resolve: 'checking the experiment, the rights and the target',
  provision: 'bringing the Kafka up, or finding it',
  startLiveness: 'starting the stream',
  closeStream: 'waiting for the replicas, draining the stream, closing the ledger',
  cleanUp: 'removing everything that the run made',
};

/** What a person is told when a step is over. */
const endings: Completed = {
  resolve: ({ provisioner, experiment, statefulSetName, notes }: Resolved) => {
    const { cluster, schedule, target } = experiment;
    const kills = plannedKills(schedule);
    const rhythm = kills > 1 ? `, one each ${schedule.intervalSeconds} s` : '';
    return [
      {
        text: `${provisioner} Kafka ${cluster.namespace}/${statefulSetName}: ${kills} kill${kills > 1 ? 's' : ''} of ${targetText(target)}${rhythm}`,
      },
      ...notes.map(remark),
    ];
  },
  provision: ({ brokerIds, statefulSet, reach, packages, notes }: ProvisionedKafka) => [
    {
      text: `${brokerIds.length} brokers (${brokerIds.join(', ')}) in ${statefulSet.namespace}/${statefulSet.name}, reached ${reach === 'direct' ? 'directly' : 'by port-forward'}`,
      tone: 'good',
    },
    ...packages.flatMap(({ name, operatorVersion, rewrites }) =>
      rewrites.map((rewrite) => remark(`package ${name} ${operatorVersion}: ${rewrite}`)),
    ),
    ...notes.map(remark),
  ],
  annotate: ({ former, annotated }: Awaited<ReturnType<Activities['annotate']>>) => [
    annotated
      ? { text: `litmuschaos.io/chaos="true" (before: ${former ?? 'none'})` }
      : { text: 'already annotated by this run' },
  ],
  startLiveness: ({ topic, namespace, pod, node, replicationFactor, minInsyncReplicas }: StartedLiveness) => [
    {
      text: `steady stream through topic ${topic} (replicas ${replicationFactor}, min in sync ${minInsyncReplicas}), pod ${pod} on ${node}`,
      tone: 'good',
    },
    { text: `to read along: kubectl logs -f ${pod} -c kafka-consumer -n ${namespace}`, tone: 'dim' },
  ],
  aim: (aim: Aim, { index }: { index: number }) => [aimText(aim, index)],
  watchSlo: (broken: BrokenSlo) => [sloText(broken)],
  kill: (act: Act, { plan }: { plan: KillPlan }) => [
    act.outcome === 'slo-broken' ? sloText(act.broken) : killText(act, plan),
  ],
  prove: (proof: KillProof, made: KillContext & Made) => [proofText(proof, made)],
  closeStream: (closing: Closing) => closingText(closing),
  cleanUp: undoneText,
  releaseClaim: undoneText,
};

function undoneText({ done, leftovers }: Awaited<ReturnType<Activities['cleanUp']>>): Said[] {
  return [
    ...done.map((text): Said => ({ text, tone: 'dim' })),
    leftovers.length === 0
      ? { text: 'nothing left behind', tone: 'good' }
      : {
          text: `${leftovers.length} left behind: ${leftovers.map((one) => `${one.kind}/${one.name}`).join(', ')}`,
          tone: 'bad',
        },
  ];
}

/** Turns a run's events into lines, one call an event in order. Remembers the inputs of the steps under way. */
export function eventTeller(): (event: RunEvent) => Line[] {
  const inputs = new Map<string, unknown>();
  return (event) => {
    if (event.kind === 'scheduled') inputs.set(event.activity, event.input);
    const step = 'activity' in event ? stepOf(event.activity) : 'temporal';
    return said(event, inputs).map((line) => ({ at: event.at, step, ...line }));
  };
}

function said(event: RunEvent, inputs: Map<string, unknown>): Said[] {
  switch (event.kind) {
    case 'scheduled': {
      const text = beginnings[event.activity as ActivityName];
      return text ? [{ text, tone: 'dim' }] : [];
    }
    case 'completed': {
      const tell = endings[event.activity as ActivityName] as
        | ((result: unknown, input: unknown) => Said[])
        | undefined;
      return tell?.(event.result, inputs.get(event.activity)) ?? [];
    }
    case 'failed':
      return [failureText(event.problem)];
    case 'canceled':
      return [{ text: `${event.activity} stopped`, tone: 'dim' }];
    case 'cancel-requested':
      return [
        {
          text: `abort asked for${event.identity ? ` by ${event.identity}` : ''}: cleaning up`,
          tone: 'warn',
        },
      ];
    case 'task-failed':
      return [
        { text: `the worker cannot go on with the run, Temporal tries again: ${event.message}`, tone: 'bad' },
      ];
    default:
      return [];
  }
}

function remark(text: string): Said {
  return { text: `note: ${text}`, tone: 'warn' };
}

function failureText(problem: Problem): Said {
  return { text: `${problem.code}: ${problem.message}`, tone: 'bad' };
}

function aimText(aim: Aim, index: number): Said {
  const name = `kill ${index + 1}`;
  if (aim.outcome === 'skipped') return { text: `${name} skipped: ${aim.reason}`, tone: 'warn' };
  if (aim.outcome === 'stream-ended') return { text: `${name} not made: ${aim.reason}`, tone: 'bad' };
  const { plan } = aim;
  const epoch = plan.leaderEpoch >= 0 ? ` epoch ${plan.leaderEpoch},` : '';
  const waited =
    plan.guardWaitMs > 0 ? `; waited ${duration(plan.guardWaitMs)}: ${plan.guardReasons.join(', ')}` : '';
  return {
    text: `${name}: leader ${plan.leader},${epoch} in sync ${plan.isr.join(', ')}; aimed at broker ${plan.broker} for ${clock(plan.deadline)}${waited}`,
  };
}

function sloText(broken: BrokenSlo): Said {
  return { text: `${brokenText(broken)}: no further kill`, tone: 'bad' };
}

function killText(act: Exclude<Act, { outcome: 'slo-broken' }>, plan: KillPlan): Said {
  const name = `kill ${plan.index + 1}`;
  if (act.outcome === 'locked')
    return { text: `${name} not made: locked by ${act.by.actor}: ${act.by.reason}`, tone: 'warn' };
  if (act.outcome === 'moved') return { text: `${name}: ${act.reason}, aiming again`, tone: 'warn' };
  if (act.outcome === 'skipped') return { text: `${name} skipped: ${act.reason}`, tone: 'warn' };
  const late = Math.max(0, act.requestedAt - plan.deadline - plan.guardWaitMs);
  const when = `at ${clock(act.requestedAt)}, ${duration(late)} late`;
  const did = {
    deleted: `pod ${plan.pod} (broker ${plan.broker}) deleted ${when}, grace ${act.gracePeriodSeconds} s`,
    killed: `broker ${plan.broker} (pod ${plan.pod}) sent SIGKILL ${when}`,
  };
  return { text: `${name}: ${did[act.outcome]}`, tone: 'strong' };
}

/** Leader and ISR only where the kill was to change them. */
function proofText(proof: KillProof, made: Made): Said {
  const name = `kill ${made.plan.index + 1}`;
  if (!proof.proven) {
    const why = proof.foreign ?? proof.evidence[0] ?? 'the death was not seen';
    return { text: `${name} not proven: ${why}`, tone: 'bad' };
  }
  const facts = [
    proof.exitCode === undefined ? undefined : `exit code ${proof.exitCode}`,
    killedLeader(made) ? newLeaderText(proof) : undefined,
    killedReplica(made) ? fullIsrText(proof) : undefined,
  ].filter((fact) => fact !== undefined);
  return { text: [`${name} proven`, facts.join(', ')].filter(Boolean).join(': '), tone: 'good' };
}

function newLeaderText({ newLeader, timeToNewLeaderMs }: KillProof): string {
  if (timeToNewLeaderMs === undefined) return 'new leader not observed';
  return `leader ${newLeader ?? '?'} after ${duration(timeToNewLeaderMs)}`;
}

function fullIsrText({ timeToFullIsrMs }: KillProof): string {
  if (timeToFullIsrMs === undefined) return 'full ISR not observed';
  return `all replicas in sync after ${duration(timeToFullIsrMs)}`;
}

function closingText({ stream, livenessPod, isrFullAtEnd }: Closing): Said[] {
  const lines: Said[] = [];
  if (stream) {
    const { acked, received, lost, longestSilenceMs } = stream;
    lines.push({
      text: `${acked} acked, ${received} received, ${lost} lost, longest silence ${duration(longestSilenceMs)}`,
      tone: lost > 0 ? 'bad' : 'good',
    });
    if (stream.silence) {
      lines.push({
        text: `the consumer gave up after ${duration(stream.silence.silentMs)} of silence`,
        tone: 'bad',
      });
    }
  } else {
    lines.push({ text: 'the stream’s report was not observed', tone: 'bad' });
  }
  if (isrFullAtEnd === false)
    lines.push({ text: 'not all replicas were in sync again in time', tone: 'bad' });
  if (livenessPod.state !== 'running') {
    lines.push({
      text: `liveness pod ${livenessPod.state}${livenessPod.reason ? `: ${livenessPod.reason}` : ''}`,
      tone: 'warn',
    });
  }
  return lines;
}
