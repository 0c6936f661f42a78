import { expect, it } from 'vitest';
import { streamPanels } from '../../src/report/page/stream-panels.ts';
import { light } from '../../src/report/palette.ts';

const names = (columns: object) =>
  streamPanels({ series: { from: 0, stepMs: 1_000, columns } }, light).map(({ legend }) => legend);

it('a side of the stream that was not observed has no line, rather than one of zeros', () => {
  const producer = {
    sent: [100, 100],
    acked: [100, 0],
    ackP50: [3, null],
    ackP99: [9, null],
    ackMax: [9, null],
  };
  expect(names(producer)).toEqual([
    ['sent', 'acked'],
    ['ack p50', 'ack p99', 'ack max'],
  ]);
  expect(names({ ...producer, received: [100, 0], receiveMax: [9, null] })).toEqual([
    ['sent', 'acked', 'received'],
    ['ack p50', 'ack p99', 'ack max', 'receive max'],
  ]);
});
