import { connect, createServer, type Server, type Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { problem } from '../experiment/errors.ts';
import { type KubeConfig, PortForward } from './client.ts';
import { messageOf } from './rest.ts';

/**
 * A byte stream to a port of a pod through the API server, as a real socket: one end of a loopback connection whose other end
 * is piped into the port-forward. Clients that need more than a Duplex (time-outs, no-delay) then work as with any socket.
 */
export async function openPortForward(
  config: KubeConfig,
  pod: { namespace: string; name: string; port: number },
): Promise<Socket> {
  const fromPod = new PassThrough();
  const toPod = new PassThrough();
  const errors = new PassThrough();
  const forward = new PortForward(config, true);
  const opened = await forward
    .portForward(pod.namespace, pod.name, [pod.port], fromPod, errors, toPod)
    .catch((cause: unknown) => {
      throw problem(
        'KUBERNETES_UNREACHABLE',
        `port-forward to ${pod.name}:${pod.port}: ${messageOf(cause)}`,
        {
          retryable: true,
          cause,
        },
      );
    });
  // Without retries the library gives the web socket itself, not a function.
  const webSocket = opened as Exclude<typeof opened, () => unknown>;
  const { near, far } = await socketPair();
  far.pipe(toPod);
  fromPod.pipe(far);
  const close = () => {
    webSocket.close();
    far.destroy();
  };
  // The error stream speaks only when the pod refuses or has gone.
  errors.on('data', close);
  webSocket.onclose = () => far.destroy();
  webSocket.onerror = () => far.destroy();
  far.on('close', close);
  far.on('error', close);
  return near;
}

/** Two ends of one loopback connection. */
async function socketPair(): Promise<{ near: Socket; far: Socket }> {
  const server: Server = createServer({ noDelay: true });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw problem('INTERNAL', 'no loopback port');
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve));
  const near = connect({ host: '127.0.0.1', port: address.port, noDelay: true });
  await new Promise<void>((resolve, reject) => {
    near.once('connect', resolve);
    near.once('error', reject);
  });
  const far = await accepted;
  server.close();
  return { near, far };
}
