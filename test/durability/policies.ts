import type { Cell } from './cell.ts';
import { points } from './points.ts';
import { inTheMiddle } from './stage.ts';

const afterKill = points.find(({ activity }) => activity === 'prove');

/** What a worker's own settings let no run do, by the way that the worker itself wires them. */
export const policies: Cell[] = [
  {
    ...{ name: 'policy-one-an-hour', what: 'LEADERFALL_MAX_KILLS_PER_HOUR=1' },
    settings: { LEADERFALL_MAX_KILLS_PER_HOUR: '1' },
    ...{ deaths: 1, skips: /^the guard would wait beyond.*1 kills in the last hour are the most/ },
    disturb: async () => {},
  },
  {
    ...{ name: 'policy-protected', what: 'LEADERFALL_PROTECTED=kafka' },
    settings: { LEADERFALL_PROTECTED: 'kafka' },
    ...{ deaths: 0, alsoRight: ['Error'] },
    disturb: async () => {},
  },
  {
    ...{ name: 'policy-protected-later', what: 'LEADERFALL_PROTECTED=kafka in another worker after kill 1' },
    ...{ deaths: 1, skips: /^the guard would wait beyond.*is protected on this worker/ },
    disturb: async (stage) => {
      if (!afterKill) throw new Error('there is no such point');
      await inTheMiddle(stage, afterKill.sight, 'after', async () => {
        await stage.worker.kill();
        stage.worker = stage.another({ LEADERFALL_PROTECTED: 'kafka' });
        return 'lost';
      });
    },
  },
];
