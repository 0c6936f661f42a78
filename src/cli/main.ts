#!/usr/bin/env node
import { Command, CommanderError } from 'commander';
import { version } from '../worker/version.ts';
import { addAbort } from './commands/abort.ts';
import { addList } from './commands/list.ts';
import { addPlan } from './commands/plan.ts';
import { addReport } from './commands/report.ts';
import { addRun } from './commands/run.ts';
import { addSchema } from './commands/schema.ts';
import { addStatus } from './commands/status.ts';
import { addWatch } from './commands/watch.ts';
import { addWorker } from './commands/worker.ts';
import { usageExitCode } from './exit-codes.ts';
import { printProblem } from './print-problem.ts';

// Node's warnings are for those who write this program; kafkajs causes one at each connection.
process.removeAllListeners('warning');

const program = new Command('leaderfall')
  .description('Durable chaos experiments for Kafka on Kubernetes, orchestrated by Temporal.')
  .version(version)
  .showHelpAfterError('(--help shows what may be said)')
  .exitOverride();

addRun(program);
addWatch(program);
addStatus(program);
addAbort(program);
addList(program);
addReport(program);
addPlan(program);
addSchema(program);
addWorker(program);

try {
  await program.parseAsync();
} catch (error) {
  // Commander has told the person already; 0 is help and version.
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : usageExitCode;
  else process.exitCode = printProblem(error);
}
