import { problem } from '../experiment/errors.ts';
import { runLabel } from '../experiment/identity.ts';
import type { KillAct } from '../experiment/kill-record.ts';
import { poll } from '../kubernetes/wait.ts';
import { containerOf, lastWords, type Pod, waitingReasons } from '../kubernetes/workloads.ts';
import { fetchImage } from './crash/fetch-image.ts';
import { crashContainer, crashNamespace, crashPod, crashPodName } from './crash/pod.ts';
import { type CrashOutcome, crashPort } from './crash/protocol.ts';
import type { Fault, FaultContext } from './fault.ts';

/** A first start of the pod, its image being there, took 2 to 4 s on a busy machine. ms */
const leadMs = 8_000;

/** How long the pod is looked at for its last words. ms */
const lastWordsMs = 5_000;

/**
 * Sends SIGKILL to the broker's process from outside its container (the kernel lets no signal from inside reach a container's first
 * process). The signal comes from a pod of its own on the broker's node, which checks the fences right before it.
 */
export const crashBroker: Fault = {
  kind: 'crash',
  does: 'SIGKILL to the broker’s process, from a short-lived privileged pod on its node; no shutdown of any kind',
  deaths: ['crashed'],
  privileged: true,
  leadMs,
  grace: () => 0,
  permissions: () => {
    const rights = (resource: string, verbs: string[], subresource?: string) =>
      verbs.map((verb) => ({
        verb,
        group: '',
        resource,
        namespace: crashNamespace,
        ...(subresource ? { subresource } : {}),
      }));
    return [
      ...rights('namespaces', ['get']),
      ...rights('pods', ['get', 'list', 'create', 'delete']),
      ...rights('pods', ['get', 'create'], 'proxy'),
    ];
  },
  check: async ({ kubernetes }) => {
    if (await kubernetes.read({ apiVersion: 'v1', kind: 'Namespace', name: crashNamespace })) return;
    throw problem('NAMESPACE_NOT_FOUND', `namespace ${crashNamespace} does not exist`, {
      evidence: ['fault.kind: crash'],
      next: 'kubectl apply -k deploy/kustomize/crash',
    });
  },
  prepare: fetchImage,
  arm,
  act,
  standDown,
  alreadyDone,
  cleanUp,
};

/**
 * Starts the pod and waits until it listens. The pod itself is the mark for a later attempt. Where a kill was called off and the same
 * container is aimed at again, the pod of that name is still going: another one is made when it has gone.
 */
async function arm(context: FaultContext): Promise<KillAct | undefined> {
  const { kubernetes, plan, signal } = context;
  const { container, node } = plan;
  const hindered = (reason: string): KillAct => ({ outcome: 'skipped', reason, at: context.now() });
  if (!container || !node) {
    return hindered(
      `no running container of pod ${plan.pod} declares the client port: name it in cluster.brokerContainer`,
    );
  }
  const create = async () => (await kubernetes.create(crashPod(context, container, node))) !== 'exists';
  let isNew = await create();
  let reasons: string[] = [];
  const armed = await poll(
    async () => {
      const pod = await readPod(context);
      const isGoing = pod?.metadata?.deletionTimestamp !== undefined;
      if (!pod || isGoing) {
        if (isNew) return hindered('the crash pod was removed by somebody else');
        if (!pod) isNew = await create();
        reasons = ['another pod of its name was still going'];
        return undefined;
      }
      // An attempt before this one may have acted after it was looked for.
      const words = lastWords<CrashOutcome>(pod, crashContainer);
      if (words) return actOf(context, words);
      if (pod.status?.phase === 'Failed') return hindered(`the crash pod failed: ${reasonOf(pod)}`);
      reasons = waitingReasons(pod);
      return pod.status?.phase === 'Running' && (await listens(context)) ? 'armed' : undefined;
    },
    { everyMs: 150, until: plan.notAfter, signal },
  );
  if (armed === 'armed') return undefined;
  return (
    armed ??
    hindered(`the crash pod did not start in time: ${reasons[0] ?? 'its image may still have to be pulled'}`)
  );
}

async function act(context: FaultContext): Promise<KillAct> {
  const { plan } = context;
  const requestedAt = context.now();
  if (requestedAt > plan.notAfter) {
    return {
      outcome: 'skipped',
      reason: `${requestedAt - plan.deadline} ms late, after notAfter`,
      at: requestedAt,
    };
  }
  const path = `/kill?container=${plan.container?.id}`;
  const { status, body } = await context.kubernetes.podRequest(proxied(context), { method: 'POST', path });
  if (status !== 200) throw problem('INTERNAL', `the crash pod answered ${status}`, { retryable: true });
  return actOf(context, JSON.parse(body) as CrashOutcome, { requestedAt, answeredAt: context.now() });
}

/** The times of a request that was lost with its attempt are the pod's own. */
function actOf(
  { plan }: FaultContext,
  done: CrashOutcome,
  sent?: { requestedAt: number; answeredAt: number },
): KillAct {
  const { at } = done;
  switch (done.outcome) {
    case 'gone':
      return {
        outcome: 'moved',
        reason: `the broker’s process in pod ${plan.pod} was gone before the kill, by somebody else’s doing`,
        at,
      };
    case 'late':
      return { outcome: 'skipped', reason: `${at - plan.deadline} ms late by the node’s clock`, at };
    default:
      return {
        outcome: 'killed',
        ...(sent ?? { requestedAt: at, answeredAt: at }),
        gracePeriodSeconds: 0,
        repeated: sent === undefined,
        ...('endedAfterMs' in done ? { endedAfterMs: done.endedAfterMs } : {}),
        ...(done.outcome === 'killing' ? { doubt: 'the crash pod ended in the middle of its act' } : {}),
      };
  }
}

async function alreadyDone(context: FaultContext): Promise<KillAct | undefined> {
  if (!context.plan.container) return undefined;
  const said = await poll(
    async () => {
      const pod = await readPod(context);
      if (!pod || pod.status?.phase === 'Pending') return 'nothing';
      const words = lastWords<CrashOutcome>(pod, crashContainer);
      if (words) return words;
      if (pod.status?.phase === 'Running') return (await listens(context)) ? 'nothing' : undefined;
      return 'nothing';
    },
    { everyMs: 200, until: Date.now() + lastWordsMs, signal: context.signal },
  );
  return said === undefined || said === 'nothing' ? undefined : actOf(context, said);
}

/** The next attempt goes on with the pod that listens: another one would make the kill seconds late. */
async function standDown(context: FaultContext, why: 'called-off' | 'failed'): Promise<void> {
  if (context.plan.container && why === 'called-off')
    await context.kubernetes.remove(refOf(context), { gracePeriodSeconds: 1 });
}

/** Finished pods are kept until here as the record of what they did. */
async function cleanUp({ kubernetes, run, signal }: Parameters<NonNullable<Fault['cleanUp']>>[0]) {
  const kind = { apiVersion: 'v1', kind: 'Pod', namespace: crashNamespace };
  const own = async () => (await kubernetes.list(kind, { label: `${runLabel}=${run.runId}` })).items;
  const found = await own();
  for (const { metadata } of found) {
    const { name = '', uid } = metadata ?? {};
    await kubernetes.remove({ ...kind, name }, { ...(uid ? { uid } : {}), gracePeriodSeconds: 1 });
  }
  if (found.length === 0) return {};
  const look = { everyMs: 200, until: Date.now() + 30_000, signal };
  if (await poll(async () => ((await own()).length === 0 ? true : undefined), look)) {
    return { done: `${found.length} crash pods removed` };
  }
  return {
    leftovers: (await own()).map(({ metadata }) => ({
      kind: 'Pod',
      name: metadata?.name ?? '',
      namespace: crashNamespace,
      reason: 'still terminating',
    })),
  };
}

function refOf(context: FaultContext) {
  const { container } = context.plan;
  const name = container ? crashPodName(context, container) : '';
  return { apiVersion: 'v1', kind: 'Pod', namespace: crashNamespace, name };
}

function proxied(context: FaultContext) {
  const { namespace, name } = refOf(context);
  return { namespace, name, port: crashPort };
}

function readPod(context: FaultContext): Promise<Pod | undefined> {
  return context.kubernetes.read<Pod>(refOf(context));
}

async function listens(context: FaultContext): Promise<boolean> {
  const request = { method: 'GET', path: '/healthz', timeoutMs: 1_000 } as const;
  return await context.kubernetes.podRequest(proxied(context), request).then(
    ({ status }) => status === 200,
    () => false,
  );
}

function reasonOf(pod: Pod): string {
  const { status } = pod;
  return (
    status?.message ??
    status?.reason ??
    containerOf(pod, crashContainer)?.state?.terminated?.message ??
    'no reason is given'
  );
}
