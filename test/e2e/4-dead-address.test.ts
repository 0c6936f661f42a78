import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { kubectl } from '../support/kubectl.ts';
import { eventually } from '../support/testbed.ts';

const namespace = `e2e-dead-address-${Date.now()}`;
const port = 9092;

beforeAll(() => {
  kubectl(['create', 'namespace', namespace]);
  runPod('neighbour', 'while true; do sleep 1; done');
  runPod('listener', `while true; do echo hello | nc -l -p ${port}; done`);
  kubectl(['-n', namespace, 'wait', '--for=condition=Ready', 'pod', '--all', '--timeout=60s']);
});

afterAll(() => {
  kubectl(['delete', 'namespace', namespace, '--wait=false']);
});

/** Both on one node: the address of the last pod of a node is unreachable at once, as its bridge goes down. */
function runPod(name: string, script: string): void {
  const overrides = { spec: { nodeName: 'node-2', terminationGracePeriodSeconds: 0 } };
  const options = ['--image=busybox:latest', '--restart=Never', `--overrides=${JSON.stringify(overrides)}`];
  kubectl(['-n', namespace, 'run', name, ...options, '--command', '--', 'sh', '-c', script]);
}

/** What became of a connection: `connected`, the system's error code, or `hangs` after 20 s. */
async function dial(host: string): Promise<string> {
  const socket = connect({ host, port });
  socket.setTimeout(20_000, () => socket.destroy(Object.assign(new Error('hangs'), { code: 'hangs' })));
  try {
    await once(socket, 'connect');
    return 'connected';
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  } finally {
    socket.destroy();
  }
}

test('a connection to the address of a pod that has just died is refused, not left hanging', async () => {
  const address = kubectl(['-n', namespace, 'get', 'pod', 'listener', '-o', 'jsonpath={.status.podIP}']);
  // The node has to know where the pod is, as it does of a broker.
  await eventually('the listener answers', 20, async () => (await dial(address)) === 'connected');

  kubectl(['-n', namespace, 'delete', 'pod', 'listener', '--force', '--grace-period=0']);
  const ends: string[] = [];
  await eventually('the address is dead', 60, async () => {
    ends.push(await dial(address));
    return ['EHOSTUNREACH', 'hangs'].includes(ends.at(-1) ?? '');
  });

  expect(ends).toContain('EHOSTUNREACH');
  expect(ends).not.toContain('hangs');
});
