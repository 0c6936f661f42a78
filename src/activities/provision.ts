import { observedSettings, type ProvisionedKafka } from '../experiment/result.ts';
import type { ResolvedExperiment } from '../experiment/spec.ts';
import type { KafkaPort } from '../kafka/port.ts';
import type { KubernetesPort } from '../kubernetes/port.ts';
import { poll } from '../kubernetes/wait.ts';
import { containerWithPort } from '../kubernetes/workloads.ts';
import { provisioners } from '../provisioners/choose.ts';
import type { Provision } from '../provisioners/provisioner.ts';
import { brokerPods, withKafka } from './brokers.ts';
import { checkBrokers, checkReplication } from './check-kafka.ts';
import type { Activities } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import { showOnRun } from './show-on-run.ts';
import { standingBy } from './standing.ts';
import { runStep } from './step.ts';

/** Brings the Kafka up or finds it, and waits until Kafka itself says that it is whole. */
export function makeProvision(deps: ActivityDependencies): Activities['provision'] {
  return (resolved) =>
    runStep('provision', async ({ signal, progress, scheduledAt }): Promise<ProvisionedKafka> => {
      const { experiment, run, expires } = resolved;
      const { kubernetes } = deps;
      const provisioner = provisioners[resolved.provisioner];
      const shown = showOnRun(deps, run, 'provision', progress);
      // Counted from the first attempt, as the step's own time is.
      const deadline = Math.min(Date.now(), scheduledAt) + experiment.provision.timeoutSeconds * 1_000;
      const made = await provisioner.provision({
        ...{ kubernetes, experiment, run, expires, signal, deadline },
        standing: standingBy(deps),
        progress: shown,
      });
      const { statefulSet } = made;
      return await withKafka(deps, experiment, statefulSet, async (reached) => {
        // The step ends a minute after the deadline, and has to find time for the questions that follow.
        const until = Math.min(Date.now() + 60_000, deadline + 30_000);
        const brokerIds = await wholeCluster(reached.kafka, statefulSet.replicas, until, signal);
        checkReplication(experiment, Math.max(brokerIds.length, statefulSet.replicas));
        await checkBrokers(kubernetes, experiment, reached.kafka, statefulSet, signal);
        const settings = await settingsOf(reached.kafka, brokerIds[0]);
        const notes = [...made.notes];
        if (settings['delete.topic.enable'] === 'false') {
          notes.push(
            'the brokers refuse topic deletion (delete.topic.enable=false): the stream’s topic will be emptied and stay',
          );
        }
        return {
          provisioner: provisioner.name,
          statefulSet,
          brokerIds,
          ...(await imagesOf(deps.kubernetes, experiment, made)),
          gracePeriodSeconds: made.gracePeriodSeconds,
          settings,
          made: made.made,
          packages: made.packages,
          reach: reached.reach,
          notes,
        };
      });
    });
}

/** Absent where no pod shows which of its containers is the broker. */
async function imagesOf(
  kubernetes: KubernetesPort,
  { cluster }: ResolvedExperiment,
  { statefulSet, managerImage }: Provision,
): Promise<Pick<ProvisionedKafka, 'images'>> {
  const [pod] = await brokerPods(kubernetes, statefulSet);
  const name = pod && (cluster.brokerContainer ?? containerWithPort(pod, cluster.port));
  const broker = pod?.spec?.containers?.find((container) => container.name === name)?.image;
  if (!broker && !managerImage) return {};
  return { images: { ...(broker ? { broker } : {}), ...(managerImage ? { kudo: managerImage } : {}) } };
}

/** Broker ids once Kafka lists as many as there are replicas; what it lists at `until` (epoch ms) otherwise, for the guard to judge. */
async function wholeCluster(
  kafka: KafkaPort,
  replicas: number,
  until: number,
  signal: AbortSignal,
): Promise<number[]> {
  const ids = async () => (await kafka.metadata()).brokers.map((broker) => broker.id).sort((a, b) => a - b);
  const whole = await poll(
    async () => {
      const now = await ids().catch(() => []);
      return now.length >= replicas ? now : undefined;
    },
    { everyMs: 250, until, signal },
  );
  return whole ?? (await ids());
}

async function settingsOf(
  kafka: KafkaPort,
  broker: number | undefined,
): Promise<ProvisionedKafka['settings']> {
  if (broker === undefined) return {};
  const all = await kafka.brokerConfig(broker).catch((): Record<string, string> => ({}));
  const pairs = observedSettings.flatMap((name) => (all[name] === undefined ? [] : [[name, all[name]]]));
  return Object.fromEntries(pairs) as ProvisionedKafka['settings'];
}
