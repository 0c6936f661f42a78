import { parseArgs } from 'node:util';
import { type Cell, type Outcome, playCell } from './cell.ts';
import { sample, shortMatrix, wholeMatrix } from './matrix.ts';
import { type Rig, startRig } from './rig.ts';
import { tableOf } from './table.ts';

/**
 * Runs that are disturbed at every moment: `npm run test:durability` plays a sample that covers every activity and every kind of
 * disturbance, `--short` the few cells of `npm test`, `--whole` everything. Ends with 1 unless each cell is as it must be.
 */
const { values } = parseArgs({
  options: {
    whole: { type: 'boolean', default: false },
    short: { type: 'boolean', default: false },
    only: { type: 'string' },
    'at-once': { type: 'string', default: '12' },
    keep: { type: 'boolean', default: false },
  },
});

const startedAt = Date.now();
const rig = await startRig({ keep: values.keep });
if (values.keep) console.log(rig.folder);
let outcomes: Outcome[];
try {
  const reference = await playCell(rig, { name: 'undisturbed', what: 'nothing', disturb: async () => {} });
  const all = await cellsOf(rig);
  const wanted = new RegExp(values.only ?? '');
  outcomes = [
    reference,
    ...(await play(
      rig,
      all.filter(({ name }) => wanted.test(name)),
      Number(values['at-once']),
    )),
  ];
} finally {
  await rig.close();
}
const bad = outcomes.filter(({ wrong }) => wrong.length > 0).length;
const seconds = Math.round((Date.now() - startedAt) / 1_000);
console.log(
  `${tableOf(outcomes)}\n\n${outcomes.length - bad} of ${outcomes.length} cells are as they must be; ${seconds} s`,
);
process.exitCode = bad === 0 ? 0 : 1;

/** By the history of the undisturbed run. */
async function cellsOf({ temporal }: Rig): Promise<Cell[]> {
  const { events = [] } = await temporal.client.workflow.getHandle('undisturbed').fetchHistory();
  const matrix = values.whole ? wholeMatrix : values.short ? shortMatrix : sample;
  return matrix(events ?? []);
}

/** Side by side, in order. */
async function play(rig: Rig, cells: Cell[], atOnce: number): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  const waiting = [...cells.entries()];
  const one = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [index, cell] = next;
      const outcome = await playCell(rig, cell);
      outcomes[index] = outcome;
      const { verdict, seconds, skips, wrong } = outcome;
      const skipped = skips.map((reason) => `; skipped: ${reason}`).join('');
      console.log(
        `${cell.what}: ${verdict}, ${seconds} s${skipped}${wrong.length > 0 ? `  WRONG ${wrong.join('; ')}` : ''}`,
      );
    }
  };
  await Promise.all(Array.from({ length: atOnce }, one));
  return outcomes;
}
