import { silenceExitCode } from '../experiment/stream-report.ts';
import { readAgain } from './closing-read.ts';
import { startConsumer } from './consumer.ts';
import { withCredentials } from './credentials.ts';
import { readSettings, type Settings } from './environment.ts';
import { leaveRecord, reportLeft, seriesLeft } from './handover.ts';
import { startObserver } from './observer.ts';
import { startProducer } from './producer.ts';
import { livenessPorts } from './protocol.ts';
import { sideRequestOf } from './series.ts';
import { type Routes, serve, writeTermination } from './server.ts';
import { makeTopic } from './topic.ts';

// Node's warnings are for those who write this program; kafkajs causes one at each connection, in the log that people follow.
process.removeAllListeners('warning');

const settings = withCredentials(readSettings(process.env));

/** Ends with a report as last words, at once: the pod's grace is short. */
function endWith(code: number, report: object): never {
  writeTermination(settings.terminationLog, report);
  process.exit(code);
}

async function serveRole(role: Exclude<Settings['role'], 'topic'>, routes: Routes): Promise<void> {
  await serve(settings.port ?? livenessPorts[role], { ...routes, 'GET /healthz': () => ({ role }) });
}

if (settings.role === 'topic') process.exit(await makeTopic(settings));

if (settings.role === 'producer') {
  const producer = startProducer(settings);
  process.on('SIGTERM', () => endWith(0, producer.report()));
  await serveRole('producer', {
    'GET /report': () => producer.report(),
    'GET /series': (query) => producer.series(sideRequestOf(query)),
    'POST /steady': () => producer.steady(),
    'POST /stop': () => producer.stop(),
  });
}

if (settings.role === 'consumer') {
  const consumer = startConsumer(settings, (line) => console.log(line));
  const end = async (code: number) => {
    const report = consumer.report();
    await consumer.leave();
    endWith(code, report);
  };
  process.on('SIGTERM', () => end(0));
  await serveRole('consumer', {
    'GET /report': () => consumer.report(),
    'GET /series': (query) => consumer.series(sideRequestOf(query)),
    'POST /steady': () => consumer.steady(),
    'POST /producer-stops': () => consumer.producerStops(),
    'POST /close': () => consumer.close(),
    'POST /again': () => consumer.again(),
  });
  await consumer.silence;
  leaveRecord(settings, consumer.record());
  await end(silenceExitCode);
}

if (settings.role === 'observer') {
  const observer = startObserver(settings);
  process.on('SIGTERM', () => endWith(0, observer.report(0)));
  await serveRole('observer', {
    'GET /report': (query) => observer.report(Number(query.get('since') ?? 0)),
    // A consumer that has given up answers nothing more.
    'GET /consumer/report': () => reportLeft(settings),
    'GET /consumer/series': (query) => seriesLeft(settings, sideRequestOf(query)),
    'POST /again': () => readAgain(settings),
  });
}
