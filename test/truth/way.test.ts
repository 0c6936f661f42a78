import { connect, createServer, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { epochNow } from './protocol.ts';
import { openWay, type Way } from './way.ts';

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** A way to a server that sends everything back. */
async function wayToEcho(): Promise<Way> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => server.close());
  return await openWay({ host: '127.0.0.1', port: (server.address() as { port: number }).port });
}

/** A client with what came back to it and when. */
async function clientOf(way: Way): Promise<{ socket: Socket; came: { text: string; at: number }[] }> {
  const socket = connect({ host: '127.0.0.1', port: way.port, noDelay: true });
  const came: { text: string; at: number }[] = [];
  socket.on('error', () => {});
  socket.on('data', (chunk) => came.push({ text: chunk.toString(), at: epochNow() }));
  await new Promise((resolve) => socket.once('connect', resolve));
  ends.push(() => socket.destroy());
  return { socket, came };
}

/** A way to a broker that answers a probe after as many ms as its last byte says; gives a client that sends one. */
async function wayToSlow(): Promise<{
  received: () => number;
  way: Way;
  probe: (afterMs: number) => Promise<{ answered: Promise<unknown> }>;
}> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      received++;
      setTimeout(() => socket.write('.'), chunk.at(-1));
    });
  });
  let received = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => server.close());
  const way = await openWay({ host: '127.0.0.1', port: (server.address() as { port: number }).port });
  const probe = async (afterMs: number) => {
    const { socket, came } = await clientOf(way);
    socket.write(Buffer.from([0, 0, 0, 3, 0, 2, afterMs]));
    return { answered: expect.poll(() => came.length).toBe(1) };
  };
  return { way, probe, received: () => received };
}

/** Sends the alphabet, a letter at a time, and waits until the span is over. */
async function spell(socket: Socket, until: Promise<unknown>): Promise<string> {
  let over = false;
  void until.then(() => {
    over = true;
  });
  let sent = '';
  for (let code = 0; !over; code = (code + 1) % 26) {
    const letter = String.fromCharCode(97 + code);
    sent += letter;
    socket.write(letter);
    await new Promise((resolve) => setTimeout(resolve, 4));
  }
  return sent;
}

const textOf = (came: { text: string }[]) => came.map(({ text }) => text).join('');

test('nothing passes a black hole, and all of it arrives afterwards in order', async () => {
  const way = await wayToEcho();
  const { socket, came } = await clientOf(way);
  const span = way.disturb({ kind: 'black-hole', ms: 120 });
  const sent = await spell(socket, span);
  const { from, to } = await span;
  expect(to - from).toBeGreaterThanOrEqual(119);
  await expect.poll(() => textOf(came)).toBe(sent);
  expect(came.filter(({ at }) => at > from + 1 && at < to)).toEqual([]);
});

test('a reset ends connections and refuses new ones until it is over', async () => {
  const way = await wayToEcho();
  const { socket } = await clientOf(way);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  const span = way.disturb({ kind: 'reset', ms: 120 });
  await closed;
  const refused = connect({ host: '127.0.0.1', port: way.port });
  const error = await new Promise<NodeJS.ErrnoException>((resolve) => refused.once('error', resolve));
  expect(error.code).toBe('ECONNREFUSED');
  await span;
  const { socket: again, came } = await clientOf(way);
  again.write('x');
  await expect.poll(() => textOf(came)).toBe('x');
});

test('what was connected in a void never answers; a connection made after it does', async () => {
  const way = await wayToEcho();
  const before = await clientOf(way);
  const span = way.disturb({ kind: 'void', ms: 50 });
  const during = await clientOf(way);
  await span;
  const after = await clientOf(way);
  for (const { socket } of [before, during, after]) socket.write('x');
  await expect.poll(() => textOf(after.came)).toBe('x');
  expect([...before.came, ...during.came]).toEqual([]);
});

test('delay lets everything pass in order, later', async () => {
  const way = await wayToEcho();
  const { socket, came } = await clientOf(way);
  const span = way.disturb({ kind: 'delay', ms: 150, delayMs: 60 });
  const sentAt = epochNow();
  const sent = await spell(socket, span);
  await expect.poll(() => textOf(came)).toBe(sent);
  expect((came[0]?.at ?? 0) - sentAt).toBeGreaterThanOrEqual(58);
});

test('a broker that leaves a probe unanswered has paused, unless it answers another', async () => {
  const { way, probe } = await wayToSlow();
  await (await probe(60)).answered;
  const [pause] = way.pauses;
  expect([pause?.who, (pause?.to ?? 0) - (pause?.from ?? 0) > 55]).toEqual(['leader', true]);
  const slow = await probe(200);
  await (await probe(0)).answered;
  const before = way.pauses.length;
  await slow.answered;
  expect(way.pauses).toHaveLength(before);
});

test('a pause that a disturbance cuts short reaches to its beginning', async () => {
  for (const kind of ['reset', 'void'] as const) {
    const { way, probe, received } = await wayToSlow();
    const { answered } = await probe(250);
    Promise.resolve(answered).catch(() => {});
    await expect.poll(received).toBe(1);
    await new Promise((resolve) => setTimeout(resolve, 30));
    const { from } = await way.disturb({ kind, ms: 10 });
    expect(
      way.pauses.map(({ to }) => Math.abs(to - from) < 25),
      kind,
    ).toEqual([true]);
  }
});
