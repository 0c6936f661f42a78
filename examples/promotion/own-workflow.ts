import { ApplicationFailure, executeChild, ParentClosePolicy } from '@temporalio/workflow';

/** What is used of a run's result; schema/result.schema.json has the rest. */
interface Result {
  verdict: 'Pass' | 'Fail' | 'Inconclusive' | 'Skipped';
  reasons: string[];
}

/**
 * A promotion workflow of your own with one experiment as one step: a child on the queue of that environment's Leaderfall worker. Pass,
 * Fail, Inconclusive and Skipped are results; a run that ends in Error or is stopped throws. REQUEST_CANCEL lets the run clean up
 * when this workflow ends; the default would terminate it.
 */
export async function ownPromotion(image: string, taskQueue: string, experiment: object): Promise<string> {
  const { verdict, reasons } = await executeChild<(input: object) => Promise<Result>>('kafkaBrokerFailure', {
    args: [experiment],
    taskQueue,
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
  });
  if (verdict !== 'Pass')
    throw ApplicationFailure.nonRetryable(`${image}: ${verdict}: ${reasons[0]}`, verdict);
  return `${image} may go on`;
}
