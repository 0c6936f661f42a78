import { faultOf } from '../faults/all-faults.ts';
import type { FaultContext } from '../faults/fault.ts';
import { changed, guardReasons } from '../faults/guard.ts';
import type { ClusterMetadata, KafkaPort } from '../kafka/port.ts';
import { pause } from '../kubernetes/wait.ts';
import { dropBrokerLog, followBrokerLog } from './broker-log.ts';
import { withKafka } from './brokers.ts';
import type { Act, Activities } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { runStep } from './step.ts';

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
  return ({ resolved, kafka: provisioned, liveness, plan, answerLost }) =>
    runStep('kill', async ({ attempt: ownAttempt, signal }): Promise<Act> => {
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
        now: Date.now,
        signal,
      };
      const callOff = async () => {
        dropBrokerLog(deps, plan);
        await fault.standDown(context);
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
        const topics = [liveness.topic];
        // Opens a connection to each broker, and to the API server, before the deadline.
        const [hindered] = await Promise.all([
          fault.arm(context),
          followBrokerLog(deps, plan),
          kafka.metadataOfEach({ topics }),
          kubernetes.version(),
        ]);
        if (hindered) {
          await callOff();
          return hindered;
        }
        await pause(plan.deadline - lockLeadMs - Date.now(), signal);
        // Without an answer nothing is done: a stop that nobody hears must not be taken for none.
        const [lock] = await Promise.all([
          deps.readLock(),
          pause(plan.deadline - lookLeadMs - Date.now(), signal),
        ]);
        if (lock) {
          await callOff();
          return { outcome: 'locked', by: { actor: lock.actor, reason: lock.reason } };
        }
        const look = await lastLook(kafka, topics, plan.deadline, signal);
        const reasons = guardReasons(look, provisioned.brokerIds, experiment.guard.allow);
        const moved = changed(experiment.target, plan.broker, look) ?? reasons[0];
        if (moved) {
          await callOff();
          return { outcome: 'moved', reason: moved, at: Date.now() };
        }
        await pause(plan.deadline - Date.now(), signal);
        return await fault.act(context);
      });
    });
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
