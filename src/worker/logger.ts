import type { Logger as SdkLogger } from '@temporalio/worker';
import pino, { type Logger } from 'pino';
import type { WorkerConfig } from './config.ts';

/** The one logger of a worker: own code, the SDK and its native part write through it, to standard output. */
export function makeLogger({ level, format }: WorkerConfig['log']): Logger {
  const options = { level, base: { service: 'leaderfall' }, timestamp: pino.stdTimeFunctions.isoTime };
  if (format === 'json') return pino(options);
  return pino({
    ...options,
    transport: { target: 'pino-pretty', options: { ignore: 'service,pid,hostname' } },
  });
}

/** The same logger in the shape that the SDK expects. */
export function sdkLogger(logger: Logger): SdkLogger {
  const write = (level: 'trace' | 'debug' | 'info' | 'warn' | 'error') => (message: string, meta?: object) =>
    logger[level](meta ?? {}, message);
  const log: SdkLogger = {
    trace: write('trace'),
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    log: (level, message, meta) => log[level.toLowerCase() as 'info'](message, meta),
  };
  return log;
}
