import { LeaderfallError } from '../experiment/errors.ts';
import { policyReasons } from '../experiment/policy.ts';
import { faultOf } from '../faults/all-faults.ts';
import type { Fault, FaultContext } from '../faults/fault.ts';
import { changed, guardReasons } from '../faults/guard.ts';
import type { ClusterMetadata, KafkaPort } from '../kafka/port.ts';
import { pause } from '../kubernetes/wait.ts';
import { brokenSlo } from './broken-slo.ts';
import { dropBrokerLog, followBrokerLog } from './broker-log.ts';
import { withKafka } from './brokers.ts';
import { checkClock } from './clock.ts';
import type { Act, Activities } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { runStep } from './step.ts';

type KillRequest = Parameters<Activities['kill']>[0];

/** A look takes 6 ms through the Kubernetes API, 130 ms on a busy machine: begun at the deadline, it would make the kill late. */
const lookLeadMs = 100;

/** The lock is read so late that who locks meets every later kill, and so early that the answer keeps none waiting. ms */
const lockLeadMs = 400;

/** More attempts than a step has before it runs out of its time. */
const lostAttempts = 1_000;

/** Between two looks before the deadline. ms */
const lookAgainMs = 10;

/** Waits for the deadline with everything connected, asks once more, and acts on exactly the victim of the plan. */
export function makeKill(deps: ActivityDependencies): Activities['kill'] {
  return (request) =>
    runStep('kill', async ({ attempt: ownAttempt, signal }): Promise<Act> => {
      const { resolved, kafka: provisioned, plan, answerLost } = request;
      const { experiment } = resolved;
      const { kubernetes } = deps;
      const attempt = answerLost ? lostAttempts + ownAttempt : ownAttempt;
      const fault = faultOf(experiment);
      const context: FaultContext = {
        kubernetes,
        experiment,
        run: resolved.run,
        expires: resolved.expires,
        statefulSet: resolved.statefulSetName,
        plan,
        graceSeconds: fault.grace(experiment, provisioned.gracePeriodSeconds),
        attempt,
        now: () => Date.now(),
        signal,
      };
      // A second attempt looks first: what the first one did must not be taken for a moved leadership.
      const done = attempt > 1 ? await fault.alreadyDone(context) : undefined;
      if (done) return done;
      if (Date.now() > plan.notAfter) {
        return {
          outcome: 'skipped',
          reason: `${Date.now() - plan.deadline} ms late, after notAfter`,
          at: Date.now(),
        };
      }
      return await withKafka(deps, experiment, provisioned.statefulSet, async ({ kafka }) => {
        const standDown = async (why: 'called-off' | 'failed') => {
          dropBrokerLog(deps, plan);
          await fault.standDown(context, why);
        };
        const hindered = await prepared(deps, request, { kafka, fault, context }).catch(async (error) => {
          // Nothing was sent: the mark would make somebody else's doing look like ours.
          await standDown('failed').catch(() => {});
          throw error;
        });
        if (hindered) {
          // What an earlier attempt has sent may still come.
          const after = attempt > 1 ? await fault.alreadyDone({ ...context, last: true }) : undefined;
          if (!after) await standDown('called-off');
          return after ?? hindered;
        }
        return await fault.act(context).catch(async (error) => {
          // Whoever stops a run ends its attempts: then this one has to find out what became of its request.
          const looking = {
            ...context,
            attempt: attempt + 1,
            last: true,
            signal: new AbortController().signal,
          };
          const after = signal.aborted ? await fault.alreadyDone(looking) : undefined;
          if (!after) throw error;
          return after;
        });
      });
    });
}

/** Waits for the deadline with everything connected, and asks once more whether the kill may be. Gives why not. */
async function prepared(
  deps: ActivityDependencies,
  { resolved, kafka: provisioned, liveness, plan, kills }: KillRequest,
  { kafka, fault, context }: { kafka: KafkaPort; fault: Fault; context: FaultContext },
): Promise<Act | undefined> {
  const { target, guard } = resolved.experiment;
  const { signal } = context;
  const topics = [liveness.topic];
  // Opens a connection to each broker, and to the API server, before the deadline.
  const [armed, ...others] = await Promise.allSettled([
    fault.arm(context),
    followBrokerLog(deps, plan),
    kafka.metadataOfEach({ topics }),
    // The deadline was reached by Temporal's clock; a worker that took the story over may have another one.
    checkClock(deps.kubernetes).catch(forAnotherWorker),
  ]);
  // Only now: whoever calls the kill off must find everything that was prepared.
  for (const each of [armed, ...others]) if (each.status === 'rejected') throw each.reason;
  if (armed.status === 'fulfilled' && armed.value) return armed.value;
  await pause(plan.deadline - lockLeadMs - Date.now(), signal);
  // Without an answer nothing is done: a stop that nobody hears must not be taken for none.
  const [lock, broken] = await Promise.all([
    deps.readLock(),
    brokenSlo(deps.kubernetes, liveness, resolved.experiment, kills),
    pause(plan.deadline - lookLeadMs - Date.now(), signal),
  ]);
  const moved = (reason: string): Act => ({ outcome: 'moved', reason, at: Date.now() });
  if (lock) return { outcome: 'locked', by: { actor: lock.actor, reason: lock.reason } };
  if (broken === 'unseen') return moved('the stream’s pod does not answer, and abortOn asks what it shows');
  if (broken) return { outcome: 'slo-broken', broken };
  const look = await lastLook(kafka, topics, plan.deadline, signal);
  const reason =
    changed(target, plan.broker, look) ??
    guardReasons(look, provisioned.brokerIds, guard.allow)[0] ??
    // Another worker than the one that aimed may be told otherwise, and times may have shut meanwhile.
    policyReasons(
      deps.policy,
      { namespace: plan.namespace, statefulSet: resolved.statefulSetName },
      Math.max(plan.deadline, Date.now()),
    )[0];
  if (reason) return moved(reason);
  await pause(plan.deadline - Date.now(), signal);
  return undefined;
}

/** A wrong clock is this worker's; the kill may be another one's to make. */
function forAnotherWorker(error: unknown): never {
  if (!(error instanceof LeaderfallError)) throw error;
  throw new LeaderfallError({ ...error.problem, retryable: true });
}

/** The newest look that is back before the deadline, so that the kill neither waits for it nor acts on an old one. */
async function lastLook(
  kafka: KafkaPort,
  topics: string[],
  deadline: number,
  signal: AbortSignal,
): Promise<ClusterMetadata> {
  for (;;) {
    const asked = Date.now();
    const look = await kafka.metadata({ topics });
    const answered = Date.now();
    // Another one would take as long as this one, or twice as long.
    if (answered + lookAgainMs + 2 * (answered - asked) >= deadline) return look;
    await pause(lookAgainMs, signal);
  }
}
