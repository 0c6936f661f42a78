import { createHmac } from 'node:crypto';
import { problem } from '../experiment/errors.ts';
import type { PromotionActivities } from './contract.ts';
import { readSecret } from './secrets.ts';

/** How long one request may take. ms */
const patienceMs = 15_000;

/** Refusals that time can mend: time-out, too early, too many requests. */
const passing = new Set([408, 425, 429]);

/**
 * POSTs JSON. `Leaderfall-Signature: t=<epoch s>,v1=<hex>` is the HMAC-SHA256 of `<t>.<body>`; `Idempotency-Key` is the same at each
 * attempt. Throws HOOK_FAILED, retryable unless the answer says that the request itself is wrong.
 */
export async function post(
  { endpoint, body, idempotencyKey }: Parameters<PromotionActivities['post']>[0],
  secretsFolder: string | undefined,
  signal: AbortSignal,
): Promise<{ status: number }> {
  const { url, urlFrom, secret } = endpoint;
  const where = urlFrom === undefined ? (url ?? '') : await readSecret(secretsFolder, urlFrom);
  // Hosts stay out of history, and an address may be a secret.
  const shown = urlFrom ?? 'the URL of the promotion';
  const text = JSON.stringify(body);
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    'user-agent': 'leaderfall',
    'idempotency-key': idempotencyKey,
  };
  if (secret !== undefined)
    headers['leaderfall-signature'] = signature(await readSecret(secretsFolder, secret), text);
  const response = await fetch(where, {
    method: 'POST',
    headers,
    body: text,
    redirect: 'error',
    signal: AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]),
  }).catch((cause: unknown) => {
    const evidence = [cause instanceof Error ? causeOf(cause) : String(cause)];
    throw problem('HOOK_FAILED', `${shown} does not answer`, {
      evidence,
      retryable: true,
      next: nextOf(shown),
    });
  });
  await response.body?.cancel();
  if (response.ok) return { status: response.status };
  const retryable = response.status >= 500 || passing.has(response.status);
  throw problem('HOOK_FAILED', `${shown} answered ${response.status}`, { retryable, next: nextOf(shown) });
}

/** Signature of a body at a time (epoch s). */
export function signature(secret: string, body: string, at = Math.floor(Date.now() / 1_000)): string {
  return `t=${at},v1=${createHmac('sha256', secret).update(`${at}.${body}`).digest('hex')}`;
}

/** `fetch failed` alone says nothing; the code of its cause does, and holds no address. */
function causeOf(error: Error): string {
  const cause = error.cause as NodeJS.ErrnoException | undefined;
  return cause?.code ?? error.name;
}

function nextOf(shown: string): string {
  return `Look whether ${shown} can be reached from the worker.`;
}
