import type { Evidence, Judgement, Step, StreamReport } from '../experiment/result.ts';

type Finding = Judgement | undefined;

/**
 * The verdict of a run. Rules in order of precedence; the first that applies decides:
 *
 * 1. Stopped: a person ended it; nothing else can be concluded.
 * 2. Error: a step failed; the hypothesis was never put to the test in full.
 * 3. Inconclusive: somebody else took the stream's pod away. Whatever the stream did afterwards is not the cluster's doing.
 * 4. Error: a defect of the tool (stuck client, killed container), which must never look like the cluster's failure.
 * 5. Fail: the stream broke and a fresh client saw the outage too, or acknowledged records are lost, or the ISR did not fill up.
 *    Before the count of kills, because a broken stream ends the kills early.
 * 6. Inconclusive: too few kills proven, or something that Pass rests on was not observed.
 * 7. Pass.
 */
export function judge(evidence: Evidence): Judgement {
  return (
    stopped(evidence) ??
    failedStep(evidence) ??
    foreignEnd(evidence) ??
    toolDefect(evidence) ??
    brokenStream(evidence) ??
    tooLittle(evidence) ??
    passed(evidence)
  );
}

function stopped({ cancelled, stoppedBy }: Evidence): Finding {
  if (!cancelled) return undefined;
  const reason = stoppedBy ? `stopped by ${stoppedBy.actor}: ${stoppedBy.reason}` : 'the run was cancelled';
  return { verdict: 'Stopped', reasons: [reason] };
}

function failedStep({ problem }: Evidence): Finding {
  if (!problem) return undefined;
  const failStep = problem.step as Step | undefined;
  return {
    verdict: 'Error',
    reasons: [`${problem.code}: ${problem.message}`],
    ...(failStep ? { failStep } : {}),
  };
}

function foreignEnd({ livenessPod }: Evidence): Finding {
  if (!livenessPod || livenessPod.state === 'running') return undefined;
  const what = {
    gone: 'the liveness pod was deleted by somebody else',
    replaced: 'the liveness pod was replaced by somebody else',
    failed: 'the liveness pod failed',
  }[livenessPod.state];
  const because = livenessPod.reason ? `: ${livenessPod.reason}` : '';
  return { verdict: 'Inconclusive', reasons: [`${what}${because}`], failStep: 'evaluate' };
}

function toolDefect({ stream }: Evidence): Finding {
  if (!stream) return undefined;
  const defects: string[] = [];
  if (stream.silence?.confirmed === 'stuck-client') {
    defects.push(
      `the consumer was silent for ${seconds(stream.silence.silentMs)} though a fresh client found the cluster serving`,
      ...stream.silence.evidence,
    );
  }
  for (const [name, end] of containers(stream)) {
    if (end.reason === 'OOMKilled') defects.push(`container ${name} was killed for its memory`);
    const bySilence = name === 'kafka-consumer' && stream.silence !== undefined;
    if (end.state === 'terminated' && end.exitCode !== 0 && !bySilence && end.reason !== 'OOMKilled') {
      defects.push(
        `container ${name} ended with exit code ${end.exitCode}${end.reason ? ` (${end.reason})` : ''}`,
      );
    }
  }
  return defects.length > 0 ? { verdict: 'Error', reasons: defects, failStep: 'evaluate' } : undefined;
}

function brokenStream({ stream, isrFullAtEnd, kills }: Evidence): Finding {
  const reasons: string[] = [];
  if (stream?.silence?.confirmed === 'outage') {
    reasons.push(
      `the stream stopped: no record for ${seconds(stream.silence.silentMs)}, and a fresh client saw the outage too`,
      ...stream.silence.evidence,
    );
  }
  if (stream && stream.lost > 0 && stream.drained) {
    reasons.push(
      `${stream.lost} acknowledged records are lost, the first with index ${stream.lostExamples[0]}`,
    );
  }
  const acted = kills.some((kill) => kill.act?.outcome === 'deleted');
  if (isrFullAtEnd === false && acted) {
    reasons.push('not all replicas were in sync again within the recovery time-out');
  }
  return reasons.length > 0 ? { verdict: 'Fail', reasons, failStep: 'evaluate' } : undefined;
}

function tooLittle({ stream, kills, minKills, isrFullAtEnd, livenessPod }: Evidence): Finding {
  const reasons: string[] = [];
  const proven = kills.filter((kill) => kill.status === 'proven').length;
  if (proven < minKills) {
    reasons.push(`${proven} of at least ${minKills} kills proven`);
    for (const kill of kills) {
      if (kill.status !== 'proven')
        reasons.push(`kill ${kill.index + 1} ${kill.status}: ${kill.reason ?? 'no reason'}`);
    }
  }
  if (!livenessPod) reasons.push('the liveness pod was not observed');
  if (!stream) reasons.push('the stream was not observed');
  else {
    if (stream.silence?.confirmed === 'not-observed') {
      reasons.push('the consumer was silent for too long, and no fresh client could look');
    }
    if (!stream.drained)
      reasons.push('the closing read did not reach the end of the log, so lost records cannot be told');
    if (stream.received === 0) reasons.push('no record was received');
    for (const [name, end] of containers(stream)) {
      // What the observer alone saw is in the kills, which are counted above.
      if (end.state === 'missing' && name !== 'kafka-observer')
        reasons.push(`container ${name} was not observed`);
    }
  }
  if (isrFullAtEnd === undefined) reasons.push('whether all replicas were in sync again was not observed');
  return reasons.length > 0 ? { verdict: 'Inconclusive', reasons, failStep: 'evaluate' } : undefined;
}

function passed({ stream, kills, plannedKills }: Evidence): Judgement {
  const proven = kills.filter((kill) => kill.status === 'proven').length;
  return {
    verdict: 'Pass',
    reasons: [
      `the stream survived ${proven} of ${plannedKills} planned kills`,
      `none of ${stream?.acked} acknowledged records is lost`,
      `the longest silence at the consumer was ${stream?.longestSilenceMs} ms`,
      'all replicas are in sync again',
    ],
  };
}

function containers(stream: StreamReport) {
  return [
    ['kafka-producer', stream.producer],
    ['kafka-consumer', stream.consumer],
    ['kafka-observer', stream.observer],
  ] as const;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
