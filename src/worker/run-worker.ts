import type { Server } from 'node:http';
import { Client } from '@temporalio/client';
import { type NativeConnection, Runtime, type Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import { dropKafkas } from '../activities/brokers.ts';
import { createActivities } from '../activities/create-activities.ts';
import type { ActivityDependencies } from '../activities/dependencies.ts';
import { createPromotionActivities } from '../activities/promotion.ts';
import { problem } from '../experiment/errors.ts';
import { holdSecret } from '../experiment/held-secrets.ts';
import { problemWithoutHosts } from '../experiment/without-hosts.ts';
import { connectKafka } from '../kafka/connect-kafka.ts';
import type { ConnectKafka } from '../kafka/port.ts';
import { connectKubernetes } from '../kubernetes/connect-kubernetes.ts';
import { allSettings } from './all-settings.ts';
import { listenAddresses, readConfig, type WorkerConfig } from './config.ts';
import { clusterVersion, connectNative, temporalTarget } from './connect.ts';
import { deploymentVersion } from './deployment.ts';
import { checkAddresses } from './free-addresses.ts';
import { type HealthChecks, serveHealth } from './health.ts';
import { lastPassed } from './last-passed.ts';
import { makeLogger, sdkLogger } from './logger.ts';
import { makeWorkers } from './make-workers.ts';
import { readLock } from './read-lock.ts';
import { takeKill } from './take-kill.ts';
import {
  cancelRun,
  findRecord,
  holderOf,
  pauseSchedule,
  registeredSearchAttributes,
  runState,
  temporalNamespaceId,
} from './temporal-facts.ts';
import { temporalSdkVersion, version } from './version.ts';
import { webUiAddress } from './web-ui.ts';

/** What a test puts in the place of a part of the worker. */
export interface WorkerParts {
  connectKafka?: ConnectKafka;
  /** File of workflow code that was bundled before. */
  workflowBundle?: string;
}

/**
 * Runs a worker until SIGTERM or SIGINT and its graceful stop. Throws LeaderfallError where it cannot start:
 * CONFIGURATION_INVALID, TEMPORAL_UNREACHABLE, KUBERNETES_UNREACHABLE.
 */
export async function runWorker(
  env: Record<string, string | undefined>,
  cluster: { context?: string; kubeconfig?: string } = {},
  parts: WorkerParts = {},
): Promise<void> {
  const { config, target, deployment, kubernetes } = await allSettings({
    config: () => readConfig(env),
    addresses: () => checkAddresses(listenAddresses(env)),
    target: temporalTarget,
    deployment: () => deploymentVersion(env),
    kubernetes: () => connectKubernetes(cluster),
  });
  const log = makeLogger(config.log);
  installRuntime(config, log);

  const { address, namespace } = target;
  holdSecret(env.TEMPORAL_API_KEY);
  const clusterIs = await clusterVersion(kubernetes, log);
  const connection = await connectNative(target, log);
  const client = new Client({ connection, namespace });
  const versions = {
    leaderfall: version,
    node: process.version,
    temporalSdk: temporalSdkVersion,
    kubernetes: clusterIs,
  };
  const deps: ActivityDependencies = {
    kubernetes,
    connectKafka: parts.connectKafka ?? connectKafka,
    defaults: config.defaults,
    policy: config.policy,
    takeKill: (key, perHour) => takeKill(client, config.taskQueue, key, perHour),
    // Each run asks anew: a server that was started again without its data is another one.
    temporalNamespaceId: () =>
      temporalNamespaceId(client).catch((error: unknown) => {
        log.warn(
          { problem: problemWithoutHosts(error) },
          'what the run makes does not bear the id of its Temporal namespace, which is not told',
        );
        return undefined;
      }),
    runState: (owner, namespaceId) => runState(client, owner, namespaceId),
    ownerOfRun: (runId) => holderOf(client, runId),
    readLock: () => readLock(client),
    cancelRun: (run) => cancelRun(client, run),
    showProgress: ({ workflowId, runId }, progress) =>
      client.workflow.getHandle(workflowId, runId).signal('progress', progress),
    pauseSchedule: (id, note) => pauseSchedule(client, id, note),
    // Not every Temporal lets a worker ask; without an answer none is set, since an unregistered one would block the run.
    registeredSearchAttributes: () =>
      registeredSearchAttributes(connection.operatorService, namespace).catch((error: unknown) => {
        log.warn(
          { problem: problemWithoutHosts(error) },
          'search attributes are not set: Temporal does not tell which are registered',
        );
        return [];
      }),
    lastPassed: (specHash, registered) => lastPassed(client.workflow, specHash, registered),
    versions,
    log,
  };
  const steps = createActivities(deps);
  const promotions = createPromotionActivities({
    ...config.promotion,
    webUi: webUiAddress(address, config.promotion.webUi),
    findRecord: (workflowId) => findRecord(client, workflowId),
    cancelRun: (run) => cancelRun(client, run),
  });
  const activities = { ...steps, ...promotions };
  const { taskQueue, runsAtOnce } = config;
  const workers = await makeWorkers({
    ...{ connection, namespace, taskQueue, activities, runsAtOnce },
    workflowBundle: parts.workflowBundle,
    version: deployment,
  });
  let server: Server | undefined;
  try {
    if (config.health) server = await serveHealth(config.health, checksOf(workers, connection));
    log.info({ ...versions, ...deployment, address, namespace, taskQueue }, 'worker is ready');
    await runAll(workers);
    log.info('worker has stopped');
  } finally {
    server?.close();
    // What is kept warm for a next step would hold the process until it is given up.
    await dropKafkas(deps);
    await connection.close();
  }
}

function installRuntime({ metricsAddress, log }: WorkerConfig, logger: Logger): void {
  const core = log.level === 'trace' || log.level === 'debug' ? 'DEBUG' : 'WARN';
  try {
    Runtime.install({
      logger: sdkLogger(logger),
      telemetryOptions: {
        logging: { forward: {}, filter: { core, other: 'WARN' } },
        ...(metricsAddress ? { metrics: { prometheus: { bindAddress: metricsAddress } } } : {}),
      },
    });
  } catch (cause) {
    throw problem('CONFIGURATION_INVALID', 'the metrics endpoint cannot be served', {
      evidence: [`LEADERFALL_METRICS_ADDRESS: ${cause instanceof Error ? cause.message : cause}`],
      next: 'Choose a free address.',
      cause,
    });
  }
}

/** Runs all until they stop; when one fails, the others are stopped too and its error is thrown. */
async function runAll(workers: Worker[]): Promise<void> {
  const runs = workers.map((worker) =>
    worker.run().catch((error: unknown) => {
      for (const other of workers) if (other !== worker && other.getState() === 'RUNNING') other.shutdown();
      throw error;
    }),
  );
  const ended = await Promise.allSettled(runs);
  const failed = ended.find((end) => end.status === 'rejected');
  if (failed) throw failed.reason;
}

function checksOf(workers: Worker[], connection: NativeConnection): HealthChecks {
  const states = (wanted: (state: string) => boolean) =>
    workers.map((worker) => ({
      name: `worker of queue ${worker.options.taskQueue}`,
      check: () => (wanted(worker.getState()) ? undefined : worker.getState()),
    }));
  const temporal = async () => {
    await connection.withDeadline(Date.now() + 2_000, () => connection.workflowService.getSystemInfo({}));
    return undefined;
  };
  return {
    live: states((state) => state !== 'FAILED' && state !== 'STOPPED'),
    ready: [...states((state) => state === 'RUNNING'), { name: 'Temporal', check: temporal }],
  };
}
