import {
  CancellationScope,
  CancelledFailure,
  isCancellation,
  proxyActivities,
  sleep,
} from '@temporalio/workflow';
import type { Activities } from '../../../src/activities/contract.ts';
import type { ChaosResult } from '../../../src/experiment/result.ts';

// biome-ignore lint/suspicious/noExplicitAny: the stub's steps take and give whatever the test wants.
type Step = (input: any) => Promise<any>;

const steps = proxyActivities<Record<keyof Activities, Step>>({
  startToCloseTimeout: '30s',
  heartbeatTimeout: '10s',
  retry: { initialInterval: '200ms', maximumAttempts: 3 },
});

/** The shape of a real run without a cluster: same type, same activities, same way to end. */
export async function kafkaBrokerFailure(input: unknown): Promise<ChaosResult> {
  let stopped = false;
  try {
    await steps.resolve(input);
    await steps.provision({});
    await sleep(500, { summary: 'until just before kill 1 of 1' });
    const aim = await steps.aim({ index: 0 });
    await steps.kill({ plan: aim.plan });
    await steps.prove({ plan: aim.plan });
  } catch (error) {
    if (!isCancellation(error)) throw error;
    stopped = true;
  }
  return await CancellationScope.nonCancellable(async () => {
    await steps.cleanUp({});
    const result: ChaosResult = await steps.record({ stopped });
    if (stopped) throw new CancelledFailure('Stopped');
    return result;
  });
}
