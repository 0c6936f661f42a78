import { setTimeout as delay } from 'node:timers/promises';
import { Watch } from './client.ts';
import { pathOf } from './kinds.ts';
import type { KubernetesObject, KubernetesPort, WatchEvent } from './port.ts';
import type { Rest } from './rest.ts';

type Kind = { apiVersion: string; kind: string; namespace?: string };
type Lister = <T extends KubernetesObject>(
  kind: Kind,
  selector: { label?: string; field?: string },
) => Promise<{ items: T[]; resourceVersion: string }>;

/** The server ends a watch after this, and it is opened anew: a watch that died quietly lasts no longer. */
const watchSeconds = 25;

/** A watch that is not answered by then is lost, and opened anew: client-node would wait for half a minute. ms */
const answerMs = 5_000;

/**
 * Changes from a resourceVersion on until the signal aborts. Re-opened when it ends, re-listed when the version is too old.
 */
export async function* watchObjects<T extends KubernetesObject>(
  rest: Rest,
  kind: Kind,
  options: Parameters<KubernetesPort['watch']>[1],
  list: Lister,
  patienceMs = answerMs,
): AsyncIterable<WatchEvent<T>> {
  const { signal } = options;
  const selector = { label: options.label, field: options.field };
  let version = options.resourceVersion;
  while (!signal.aborted) {
    if (version === undefined) {
      const listed = await list<T>(kind, selector);
      for (const object of listed.items) yield { type: 'MODIFIED', object };
      version = listed.resourceVersion;
    }
    const queue = openWatch<T>(rest, kind, { ...selector, version, signal, patienceMs });
    for await (const event of queue) {
      if (event === 'too-old') {
        version = undefined;
        break;
      }
      version = event.object.metadata?.resourceVersion ?? version;
      if (event.type !== 'BOOKMARK') yield event;
    }
    // An API server that is away must not be called in a tight loop.
    if (!signal.aborted) await delay(200, undefined, { signal }).catch(() => {});
  }
}

/** One watch request as a queue; ends when the request ends. */
async function* openWatch<T extends KubernetesObject>(
  rest: Rest,
  kind: Kind,
  options: { label?: string; field?: string; version: string; signal: AbortSignal; patienceMs: number },
): AsyncIterable<WatchEvent<T> | 'too-old'> {
  const pending: (WatchEvent<T> | 'too-old' | 'end')[] = [];
  let wake: () => void = () => {};
  const push = (item: WatchEvent<T> | 'too-old' | 'end') => {
    pending.push(item);
    wake();
  };
  const query = {
    resourceVersion: options.version,
    timeoutSeconds: watchSeconds,
    allowWatchBookmarks: true,
    labelSelector: options.label,
    fieldSelector: options.field,
  };
  const onEvent = (type: string, object: T) => {
    if (type === 'ERROR') push((object as { code?: number }).code === 410 ? 'too-old' : 'end');
    else push({ type: type as WatchEvent<T>['type'], object });
  };
  const onDone = (error: unknown) =>
    push((error as { statusCode?: number } | null)?.statusCode === 410 ? 'too-old' : 'end');
  const opening = new Watch(rest.config).watch(pathOf(kind), query, onEvent, onDone).catch(() => undefined);
  const { patienceMs, signal } = options;
  const lost = delay(patienceMs, undefined, { signal, ref: false }).catch(() => undefined);
  const controller = await Promise.race([opening, lost]);
  if (!controller) {
    void opening.then((late) => late?.abort());
    return;
  }
  const abort = () => {
    controller.abort();
    push('end');
  };
  options.signal.addEventListener('abort', abort, { once: true });
  try {
    for (;;) {
      const item = pending.shift();
      if (item === 'end' || options.signal.aborted) return;
      if (item !== undefined) yield item;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  } finally {
    options.signal.removeEventListener('abort', abort);
    controller.abort();
  }
}
