import { connect, createServer } from 'node:net';

/** Passes connections on, in a process of its own: `node relay.ts HOST:PORT HOST:PORT`, from where to where. */
const [from, to] = process.argv.slice(2).map((address) => {
  const [host = '', port] = address.split(':');
  return { host, port: Number(port) };
});
if (!from || !to) throw new Error('usage: relay.ts HOST:PORT HOST:PORT');

createServer((incoming) => {
  const outgoing = connect(to);
  incoming.pipe(outgoing).pipe(incoming);
  // Either side's end is the other's.
  incoming.on('error', () => outgoing.destroy()).on('close', () => outgoing.destroy());
  outgoing.on('error', () => incoming.destroy()).on('close', () => incoming.destroy());
}).listen(from);
