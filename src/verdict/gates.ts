import type { Problem } from '../experiment/errors.ts';
import type { Evidence } from '../experiment/result.ts';
import { sloLimits } from '../experiment/slo.ts';
import { type ContainerEnds, type StreamReport, silenceExitCode } from '../experiment/stream-report.ts';
import type { VerdictLine } from '../experiment/verdict-line.ts';
import { calmBefore } from './calm-before.ts';
import { sightOf } from './sights.ts';
import { figure, notObserved } from './words.ts';

/**
 * What must hold before anything can be concluded at all. In order of precedence:
 *
 * 1. Nobody stopped the run. A step that failed while it was being stopped is told beside that.
 * 2. Every step was carried out; else the hypothesis was never put to the test in full. A scheduled run that found the cluster taken
 *    or unhealthy touched nothing and is Skipped.
 * 3. Nobody else took the stream's pod away. Whatever the stream did afterwards is not the cluster's doing.
 * 4. Nobody else took a broker away that the run had aimed at.
 * 5. No defect of the tool, such as a stuck client or a killed container, which must never look like the cluster's failure.
 * 6. The stream flowed until the first kill. An outage that is older is not the chaos' doing.
 */
export function gates(evidence: Evidence): VerdictLine[] {
  return [
    notStopped(evidence),
    everyStep(evidence),
    podUntouched(evidence),
    brokersUntouched(evidence),
    toolSound(evidence),
    calmBefore(evidence),
  ];
}

function notStopped({ cancelled, stoppedBy, problem }: Evidence): VerdictLine {
  const line = {
    id: 'not-stopped',
    gate: true,
    what: 'the run went to its end',
    required: 'not stopped',
  } as const;
  if (!cancelled) return { ...line, observed: 'not stopped', outcome: 'met', because: [] };
  const reason = stoppedBy ? `stopped by ${stoppedBy.actor}: ${stoppedBy.reason}` : 'the run was cancelled';
  const because = [reason, ...(problem ? [`meanwhile ${failureText(problem)}`] : [])];
  return { ...line, observed: 'stopped', outcome: 'not met', leadsTo: 'Stopped', because };
}

function failureText({ code, step, message }: Problem): string {
  return step ? `step ${step} failed: ${code}: ${message}` : `${code}: ${message}`;
}

function everyStep({ problem, skipped }: Evidence): VerdictLine {
  const line = { id: 'steps', gate: true, what: 'every step was carried out', required: 'no error' } as const;
  if (!problem) return { ...line, observed: 'no error', outcome: 'met', because: [] };
  return {
    ...line,
    observed: problem.step ? `${problem.code} in ${problem.step}` : problem.code,
    outcome: 'not met',
    leadsTo: skipped ? 'Skipped' : 'Error',
    because: [`${problem.code}: ${problem.message}`],
  };
}

function podUntouched({ livenessPod }: Evidence): VerdictLine {
  const line = {
    id: 'pod-untouched',
    gate: true,
    what: 'nobody else touched the stream’s pod',
    required: 'running',
  } as const;
  if (!livenessPod) {
    return {
      ...line,
      observed: notObserved,
      outcome: 'not observable',
      leadsTo: 'Inconclusive',
      because: ['the liveness pod was not observed'],
    };
  }
  const { state, reason } = livenessPod;
  if (state === 'running') return { ...line, observed: state, outcome: 'met', because: [] };
  const what = {
    gone: 'the liveness pod was deleted by somebody else',
    replaced: 'the liveness pod was replaced by somebody else',
    failed: 'the liveness pod failed',
  }[state];
  const because = [reason ? `${what}: ${reason}` : what];
  return { ...line, observed: state, outcome: 'not met', leadsTo: 'Inconclusive', because };
}

function brokersUntouched({ kills }: Evidence): VerdictLine {
  const line = {
    id: 'brokers-untouched',
    gate: true,
    what: 'nobody else touched a broker that was aimed at',
    required: 'nobody',
  } as const;
  const because = kills.flatMap(({ index, proof }) =>
    proof?.foreign ? [`kill ${index + 1}: ${proof.foreign}`] : [],
  );
  if (because.length === 0) return { ...line, observed: 'nobody', outcome: 'met', because };
  return { ...line, observed: 'somebody', outcome: 'not met', leadsTo: 'Inconclusive', because };
}

function toolSound(evidence: Evidence): VerdictLine {
  const { stream, containers = stream } = evidence;
  const line = { id: 'tool', gate: true, what: 'no defect of Leaderfall itself', required: 'none' } as const;
  const defects = [
    ...stuckConsumer(stream),
    ...(containers ? deathsOf(containers, stream) : []),
    ...stuckProducer(evidence),
  ];
  if (defects.length === 0 && !stream)
    return { ...line, observed: notObserved, outcome: 'not observable', because: [] };
  if (defects.length === 0) return { ...line, observed: 'none', outcome: 'met', because: [] };
  return { ...line, observed: defects[0] ?? '', outcome: 'not met', leadsTo: 'Error', because: defects };
}

function stuckConsumer(stream: StreamReport | undefined): string[] {
  const { silence } = stream ?? {};
  if (silence?.confirmed !== 'stuck-client') return [];
  const silent = figure(silence.silentMs, 'ms');
  return [
    `the consumer was silent for ${silent} though a fresh client found the cluster serving`,
    ...silence.evidence,
  ];
}

/** Containers that ended as they should not; a consumer that gave up after its silence did what it was to do. */
function deathsOf(containers: ContainerEnds, stream: StreamReport | undefined): string[] {
  return containersOf(containers).flatMap(([name, { state, exitCode, reason }]) => {
    if (reason === 'OOMKilled') return [`container ${name} was killed for its memory`];
    const silent = stream ? stream.silence !== undefined : exitCode === silenceExitCode;
    const gaveUp = name === 'kafka-consumer' && silent;
    if (state !== 'terminated' || exitCode === 0 || gaveUp) return [];
    return [`container ${name} ended with exit code ${exitCode}${reason ? ` (${reason})` : ''}`];
  });
}

/** What breaks a limit on times without acks, and would not without the producer's own client. */
function stuckProducer(evidence: Evidence): string[] {
  if (!evidence.experiment) return [];
  const limits = sloLimits(evidence.experiment, evidence.plannedKills).filter(({ id }) =>
    id.startsWith('producer-outage'),
  );
  const exceeded = limits
    .map((limit) => ({ limit: limit.limit, ...sightOf(limit, evidence) }))
    .filter(({ value = 0, limit }) => value > limit);
  // What the cluster broke by itself is its failure, whatever the client did.
  if (exceeded.some(({ inflatedBy }) => !inflatedBy)) return [];
  return [...new Set(exceeded.flatMap(({ inflatedBy = [] }) => inflatedBy))];
}

/** The three containers of the stream's pod by name. */
export function containersOf({ producer, consumer, observer }: ContainerEnds) {
  return [
    ['kafka-producer', producer],
    ['kafka-consumer', consumer],
    ['kafka-observer', observer],
  ] as const;
}
