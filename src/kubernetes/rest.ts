import { type Dispatcher, fetch } from 'undici';
import { problem } from '../experiment/errors.ts';
import { holdSecret } from '../experiment/held-secrets.ts';
import { HttpMethod, KubeConfig, RequestContext } from './client.ts';

/** One request to the API server. */
export interface RestRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** From the server's root, with its query. */
  path: string;
  body?: unknown;
  contentType?: string;
  timeoutMs?: number;
  /** Epoch ms: neither sent nor sent again after this, nor waited for: what is given up is not carried out, unless it is on its way. */
  notAfter?: number;
}

/** What came back; `body` as text. */
export interface RestAnswer {
  status: number;
  body: string;
  /** By how much this machine's clock is ahead of the server's, ms; within a second. Absent from an answer that took long. */
  aheadMs?: number;
}

/** Sends requests with the kubeconfig's own credentials over connections that are kept. */
export interface Rest {
  send(request: RestRequest): Promise<RestAnswer>;
  /** GET whose answer goes on; bytes as they come. Undefined where the answer is no success. */
  stream(path: string, signal: AbortSignal): Promise<AsyncIterable<Uint8Array> | undefined>;
  config: KubeConfig;
}

const defaultTimeoutMs = 10_000;
const attempts = 4;

/** What client-node takes where nothing is configured, and then does not talk to. */
const fallbackServer = 'http://localhost:8080';

/** client-node makes a new agent, hence a new TLS handshake, for every request; a kill at a deadline needs a warm connection. */
function keepConnections(config: KubeConfig): void {
  const kept = new Map<string, unknown>();
  const open = config as unknown as { createDispatcher(...args: unknown[]): unknown };
  const make = open.createDispatcher.bind(config);
  open.createDispatcher = (...args) => {
    const key = JSON.stringify(args);
    if (!kept.has(key)) kept.set(key, make(...args));
    return kept.get(key);
  };
}

/** Reads KUBECONFIG, in-cluster or default settings as kubectl does. */
export function connectRest(options: { context?: string; kubeconfig?: string } = {}): Rest {
  const config = new KubeConfig();
  keepConnections(config);
  try {
    if (options.kubeconfig) config.loadFromFile(options.kubeconfig);
    else config.loadFromDefault();
    if (options.context) config.setCurrentContext(options.context);
  } catch (cause) {
    throw problem('CONFIGURATION_INVALID', `the kubeconfig cannot be read: ${messageOf(cause)}`, {
      next: 'Set KUBECONFIG or --kubeconfig to one with which kubectl works.',
      cause,
    });
  }
  const cluster = config.getCurrentCluster();
  if (!cluster || cluster.server === fallbackServer) {
    const looked = options.context
      ? `the kubeconfig has no context ${options.context}`
      : 'neither KUBECONFIG nor ~/.kube/config names a current context, and this is no pod with a service account';
    throw problem('CONFIGURATION_INVALID', 'no Kubernetes cluster is configured', {
      evidence: [looked],
      next: 'Set KUBECONFIG or --context; `kubectl config get-contexts` lists what there is.',
    });
  }
  const server = cluster.server.replace(/\/$/, '');
  return {
    config,
    send: (request) => sendWithRetry(config, server, request),
    stream: (path, signal) => stream(config, server, path, signal),
  };
}

/** Sent again only where the server cannot have carried it out: no connection, 429, 503, or a read. */
async function sendWithRetry(config: KubeConfig, server: string, request: RestRequest): Promise<RestAnswer> {
  for (let attempt = 1; ; attempt++) {
    if (request.notAfter !== undefined && Date.now() > request.notAfter) {
      throw problem(
        'KUBERNETES_UNREACHABLE',
        'the API server could not be reached before the act’s last moment',
        {
          retryable: true,
        },
      );
    }
    const last = attempt === attempts;
    try {
      const answer = await sendOnce(config, server, request);
      if (last || (answer.status !== 429 && answer.status !== 503) || request.path.includes('/proxy/'))
        return answer;
    } catch (error) {
      const safe = request.method === 'GET' || neverConnected(error);
      if (last || !safe) {
        throw problem(
          'KUBERNETES_UNREACHABLE',
          `${request.method} ${pathOnly(request.path)}: ${messageOf(error)}`,
          {
            next: 'Check that the API server is up and reachable from the worker.',
            retryable: true,
            cause: error,
          },
        );
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 100 * 2 ** attempt));
  }
}

/** By how much a clock that read `asked` and `answered` is ahead of the one that stamped the answer in between, ms. */
export function aheadOf(date: string | null, asked: number, answered: number): number | undefined {
  if (date === null || answered - asked > 1_000) return undefined;
  // A stamp of whole seconds is half a second old on average.
  return (asked + answered) / 2 - (Date.parse(date) + 500);
}

/** Says who asks, by whatever the kubeconfig has: its token, a file that is renewed, a program's answer. */
async function authenticate(config: KubeConfig, context: RequestContext): Promise<void> {
  await config.applySecurityAuthentication(context);
  holdSecret(context.getHeaders().Authorization?.replace(/^\w+ /, ''));
}

async function sendOnce(config: KubeConfig, server: string, request: RestRequest): Promise<RestAnswer> {
  const context = new RequestContext(`${server}${request.path}`, HttpMethod.GET);
  await authenticate(config, context);
  const headers: Record<string, string> = { ...context.getHeaders(), accept: 'application/json' };
  if (request.body !== undefined) headers['content-type'] = request.contentType ?? 'application/json';
  const asked = Date.now();
  const response = await fetch(`${server}${request.path}`, {
    method: request.method,
    headers,
    body: request.body === undefined ? undefined : JSON.stringify(request.body),
    signal: AbortSignal.timeout(timeoutOf(request, asked)),
    dispatcher: context.getDispatcher() as Dispatcher | undefined,
  });
  const aheadMs = aheadOf(response.headers.get('date'), asked, Date.now());
  const body = await response.text();
  return { status: response.status, body, ...(aheadMs === undefined ? {} : { aheadMs }) };
}

/** A server hears that a request was given up, and most then do not carry it out. ms */
function timeoutOf({ timeoutMs = defaultTimeoutMs, notAfter }: RestRequest, now: number): number {
  return notAfter === undefined ? timeoutMs : Math.max(1, Math.min(timeoutMs, notAfter - now));
}

async function stream(
  config: KubeConfig,
  server: string,
  path: string,
  signal: AbortSignal,
): Promise<AsyncIterable<Uint8Array> | undefined> {
  const context = new RequestContext(`${server}${path}`, HttpMethod.GET);
  await authenticate(config, context);
  const dispatcher = context.getDispatcher() as Dispatcher | undefined;
  const response = await fetch(`${server}${path}`, { headers: context.getHeaders(), signal, dispatcher });
  return response.ok && response.body ? response.body : undefined;
}

function neverConnected(error: unknown): boolean {
  const code = (error as { cause?: { code?: string } }).cause?.code;
  return (
    code === 'ECONNREFUSED' ||
    code === 'ENOTFOUND' ||
    code === 'EAI_AGAIN' ||
    code === 'UND_ERR_CONNECT_TIMEOUT'
  );
}

/** A short message without addresses' credentials or bodies. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause instanceof Error ? ` (${error.cause.message})` : '';
  return `${error.message}${cause}`;
}

function pathOnly(path: string): string {
  return path.replace(/\?.*$/, '');
}
