import { criticalSuffix, watchSuffix } from '../../activities/contract.ts';
import { compareRegistered } from '../../experiment/search-attributes.ts';
import { messageOf, type TemporalAccess } from '../connect-temporal.ts';
import { seenWithinMs } from '../progress/pending-lines.ts';
import { livingPollersOf } from '../progress/watch-run.ts';
import { janitorSchedule, janitorState } from '../schedule/janitor.ts';
import { defaultTaskQueue } from '../start-run.ts';
import type { Finding } from './finding.ts';

/** Server and namespace; how long reports can be made. */
export async function serverFindings(access: TemporalAccess): Promise<Finding[]> {
  const { client, address, namespace } = access;
  const { serverVersion } = await client.workflowService.getSystemInfo({});
  const { config } = await client.workflowService.describeNamespace({ namespace });
  const hours = Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) / 3_600;
  const kept = hours > 0 ? `; a report can be made for ${hours} h after a run` : '';
  return [
    {
      about: 'Temporal',
      state: 'ok',
      text: `server ${serverVersion} at ${address}, namespace ${namespace}${kept}`,
    },
  ];
}

/** Whether somebody carries runs out, on each of the queues. */
export async function workerFindings(access: TemporalAccess, taskQueue: string): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const queue of ['', criticalSuffix, watchSuffix].map((suffix) => `${taskQueue}${suffix}`)) {
    const living = await livingPollersOf(access, queue);
    findings.push(
      living.length > 0
        ? { about: 'worker', state: 'ok', text: `${living.length} on task queue ${queue}` }
        : {
            about: 'worker',
            state: 'warning',
            text: `none polls task queue ${queue}`,
            next: 'Start one: leaderfall worker, or kubectl apply -k deploy/kustomize/existing, once its image and TEMPORAL_ADDRESS are edited',
          },
    );
  }
  return [...findings, ...(await buildFindings(access, taskQueue))];
}

/** Whether new runs go to a build that is there; nothing to say where no worker has a version. */
async function buildFindings(
  { client, connection, namespace }: TemporalAccess,
  taskQueue: string,
): Promise<Finding[]> {
  const { pollers, versioningInfo } = await connection.withDeadline(Date.now() + 5_000, () =>
    client.workflowService.describeTaskQueue({
      ...{ namespace, taskQueue: { name: taskQueue } },
      taskQueueType: workflowTasks,
    }),
  );
  const unversioned = 'unversioned workers';
  const text = (version?: { deploymentName?: string | null; buildId?: string | null } | null) =>
    version ? `build ${version.buildId} of deployment ${version.deploymentName}` : unversioned;
  const living = pollers.filter(
    ({ lastAccessTime }) => Date.now() - Number(lastAccessTime?.seconds ?? 0) * 1_000 < seenWithinMs,
  );
  const builds = new Set(
    living.map(({ deploymentOptions: of }) =>
      of?.workerVersioningMode === versioned ? text(of) : unversioned,
    ),
  );
  const current = text(versioningInfo?.currentDeploymentVersion);
  if (builds.size === 0 || (builds.size === 1 && current === unversioned && builds.has(unversioned)))
    return [];
  const about = 'build';
  if (builds.has(current)) return [{ about, state: 'ok', text: `new runs go to ${current}` }];
  return [
    {
      about,
      state: 'warning',
      text: `new runs go to ${current}, and there are only: ${[...builds].join(', ')}`,
      next: 'temporal worker deployment set-current-version --deployment-name NAME --build-id BUILD (docs/upgrades.md)',
    },
  ];
}

/** temporal.api.enums.v1.TaskQueueType */
const workflowTasks = 1;

/** temporal.api.enums.v1.WorkerVersioningMode */
const versioned = 2;

/** Whether something removes what terminated runs of a task queue leave; runs work without. */
export async function janitorFindings({ client }: TemporalAccess, taskQueue: string): Promise<Finding[]> {
  const about = 'janitor';
  const schedule = janitorSchedule(taskQueue);
  const { state, failed } = await janitorState(client, taskQueue);
  if (failed && state === 'active') {
    return [
      {
        about,
        state: 'warning',
        text: `the last round of schedule ${schedule} failed: ${failed.message}`,
        ...(failed.evidence ? { evidence: failed.evidence } : {}),
        ...(failed.next ? { next: failed.next } : {}),
      },
    ];
  }
  if (state === 'active') return [{ about, state: 'ok', text: `schedule ${schedule} runs` }];
  const queue = taskQueue === defaultTaskQueue ? '' : ` --task-queue ${taskQueue}`;
  return [
    {
      about,
      state: 'warning',
      text: `schedule ${schedule} is ${state}: what a terminated run leaves stays until the next run or round`,
      next: `leaderfall janitor --every 1h -n NAMESPACE${queue}`,
    },
  ];
}

/** Search attributes by which runs can be found; the run works without them. */
export async function attributeFindings({ connection, namespace }: TemporalAccess): Promise<Finding[]> {
  const about = 'search attributes';
  let registered: Record<string, unknown>;
  try {
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
    registered = customAttributes ?? {};
  } catch (error) {
    return [{ about, state: 'skipped', text: `Temporal does not tell them: ${messageOf(error)}` }];
  }
  const { present, missing, otherType } = compareRegistered(registered);
  if (missing.length + otherType.length === 0) return [{ about, state: 'ok', text: present.join(', ') }];
  return [
    {
      about,
      state: 'warning',
      text: [
        ...(missing.length > 0 ? [`not registered: ${missing.join(', ')}`] : []),
        ...(otherType.length > 0 ? [`of another type: ${otherType.join(', ')}`] : []),
        'runs cannot be found by these',
      ].join('; '),
      next: 'leaderfall setup',
    },
  ];
}
