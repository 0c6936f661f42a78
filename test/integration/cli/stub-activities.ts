import { Context, sleep } from '@temporalio/activity';
import type { KillPlan } from '../../../src/experiment/kill-record.ts';
import { judge } from '../../../src/verdict/judge.ts';
import { passedResult } from '../../report/example-result.ts';

const plan: KillPlan = {
  index: 0,
  deadline: 1_000,
  notAfter: 11_000,
  broker: 2,
  pod: 'kafka-kafka-2',
  namespace: 'kafka',
  podUid: 'uid-2',
  resourceVersion: '7',
  leader: 2,
  leaderEpoch: 5,
  isr: [2, 0, 1],
  replicas: [2, 0, 1],
  controller: 0,
  guardWaitMs: 0,
  guardReasons: [],
};

const resolved = {
  provisioner: 'existing',
  statefulSetName: 'kafka-kafka',
  notes: ['ZOOKEEPER_PORT is unused'],
  experiment: {
    cluster: { namespace: 'kafka' },
    target: 'leader',
    schedule: { durationSeconds: 20, intervalSeconds: 20 },
  },
};

const kafka = {
  brokerIds: [0, 1, 2],
  statefulSet: { namespace: 'kafka', name: 'kafka-kafka' },
  reach: 'direct',
  packages: [],
  notes: [],
};

/** Steps that only say what real ones would. `verdict` is the result's; `slowMs` is how long provision takes. */
export function stubActivities(options: { verdict: string; slowMs: number }) {
  return {
    resolve: async () => resolved,
    provision: async () => {
      const until = Date.now() + options.slowMs;
      for (let second = 0; Date.now() < until; second++) {
        Context.current().heartbeat({
          step: 'provision',
          lines: ['deploy IN_PROGRESS', `  pods ${second} of 3`],
        });
        await sleep(500);
      }
      return kafka;
    },
    aim: async () => ({ outcome: 'aimed', plan }),
    kill: async () => ({
      outcome: 'deleted',
      requestedAt: 1_003,
      answeredAt: 1_010,
      gracePeriodSeconds: 300,
      repeated: false,
    }),
    prove: async () => ({
      proven: true,
      evidence: [],
      exitCode: 143,
      newLeader: 0,
      timeToNewLeaderMs: 412,
      timeToFullIsrMs: 17_200,
    }),
    cleanUp: async () => ({ done: ['pod kafka-liveness deleted'], leftovers: [] }),
    record: async ({ stopped }: { stopped: boolean }) => {
      const verdict = stopped ? 'Stopped' : options.verdict;
      return {
        ...passedResult(),
        verdict,
        reasons: [`the stub says ${verdict}`],
        ...(stopped
          ? { lines: judge({ plannedKills: 1, minKills: 1, kills: [], cancelled: true }).lines }
          : {}),
      };
    },
  };
}
