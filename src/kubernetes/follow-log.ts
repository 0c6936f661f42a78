import type { Rest } from './rest.ts';

/** Lines of a container's log from its last one on, until it ends or the signal aborts; quiet where it cannot be had. */
export async function* followLog(
  rest: Rest,
  pod: { namespace: string; name: string },
  container: string,
  signal: AbortSignal,
): AsyncIterable<string> {
  // The answer begins with its first byte: a last line that is there already shows at once that the log is being followed.
  const query = new URLSearchParams({ container, follow: 'true', tailLines: '1' });
  const path = `/api/v1/namespaces/${pod.namespace}/pods/${pod.name}/log?${query}`;
  const decoder = new TextDecoder();
  let open = '';
  try {
    for await (const chunk of (await rest.stream(path, signal)) ?? []) {
      const lines = (open + decoder.decode(chunk, { stream: true })).split('\n');
      open = lines.pop() ?? '';
      yield* lines;
    }
  } catch {
    // The pod's node, or the connection to it, is gone: there is no more to read.
  }
  if (open) yield open;
}
