#!/usr/bin/env node
import { leaderfall } from './program.ts';

// Node's warnings are for those who write this program; kafkajs causes one at each connection.
process.removeAllListeners('warning');

// Whoever read the output has gone, as in "leaderfall list | head": end as other programs do, 128 + SIGPIPE. The run goes on.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(141);
    throw error;
  });
}

process.exitCode = await leaderfall(process.argv.slice(2));
