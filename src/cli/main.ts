#!/usr/bin/env node
import { leaderfall } from './program.ts';

// Node's warnings are for those who write this program; kafkajs causes one at each connection.
process.removeAllListeners('warning');

process.exitCode = await leaderfall(process.argv.slice(2));
