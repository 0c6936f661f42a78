import {
  ApplicationFailure,
  defaultFailureConverter,
  defaultPayloadConverter,
  ensureApplicationFailure,
} from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { expect, test } from 'vitest';
import type { Activities } from '../../src/activities/contract.ts';
import { createActivities } from '../../src/activities/create-activities.ts';
import { readSecurity } from '../../src/activities/credentials.ts';
import type { JanitorActivities } from '../../src/activities/janitor-contract.ts';
import { problem } from '../../src/experiment/errors.ts';
import type { KillPlan } from '../../src/experiment/kill-record.ts';
import type { ChaosResult } from '../../src/experiment/result.ts';
import type { KubernetesPort, ObjectRef } from '../../src/kubernetes/port.ts';
import { htmlReport } from '../../src/report/html.ts';
import { jsonReport } from '../../src/report/json.ts';
import { junitReport } from '../../src/report/junit.ts';
import { markdownReport } from '../../src/report/markdown.ts';
import { textReport } from '../../src/report/text.ts';
import { judge } from '../../src/verdict/judge.ts';
import { problemOfFailure } from '../../src/workflows/failure.ts';
import { refusedResult } from '../report/example-result.ts';
import { fakeKafka, run, type Scene, scene } from './step-support.ts';

/**
 * A cluster whose every error repeats the password, a token and where a broker lives: none of it is in what a step gives to Temporal
 * or to the log, nor in what is made of that.
 */
const password = 'canary-of-a-password';
const token = 'eyJhbGciOiJSUzI1NiJ9.eyJjYW5hcnkiOiJ5ZXMifQ.c2lnbmVk';
const host = 'canary-broker.kafka.svc.cluster.local:9092';
const canary = /canary|eyJ/;
const told = `${password} refused for Bearer ${token} by ${host}`;

/** Steps that wait for better times are cancelled after this. ms */
const patienceMs = 2_000;

/** Throws plainly, or as our own ports do, by turns. */
let thrown = 0;
function leak(): never {
  if (thrown++ % 2) throw new Error(told, { cause: new Error(told) });
  throw problem('KUBERNETES_REFUSED', told, { evidence: [told], next: told, cause: new Error(told) });
}

/** Everything fails but what `works` says. */
function hostile<T extends object>(
  whole: T,
  works: (name: string, argument: unknown) => boolean = () => false,
): T {
  return new Proxy(whole, {
    get: (target, name) => {
      const real = target[name as keyof T];
      if (typeof real !== 'function') return real;
      return (...given: unknown[]) => {
        if (works(String(name), given[0])) return real.apply(target, given);
        return ['watch', 'followLog'].includes(String(name)) ? leak() : Promise.resolve().then(leak);
      };
    },
  });
}

const secured = {
  namespace: 'kafka',
  tls: { caSecret: 'ca' },
  sasl: { mechanism: 'SCRAM-SHA-512', secret: 'chaos' },
};

/** A scene whose Secrets can be read; Kubernetes otherwise works as far as `reads`, Kafka not at all. */
async function brokenScene(reads: 'nothing' | 'everything'): Promise<Scene & { logged: string[] }> {
  const at = await scene(fakeKafka());
  for (const [name, data] of [
    ['ca', { 'ca.crt': 'pem' }],
    ['chaos', { username: 'chaos', password }],
  ] as const) {
    const encoded = Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]);
    await at.kubernetes.create({
      ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: 'kafka' } },
      data: Object.fromEntries(encoded),
    });
  }
  const isRead = (name: string, argument: unknown) =>
    ['read', 'list', 'version', 'missingPermissions'].includes(name) &&
    (reads === 'everything' || (argument as ObjectRef).kind === 'Secret');
  const logged: string[] = [];
  const log = (about: object, text: string) => void logged.push(`${text} ${JSON.stringify(about)}`);
  Object.assign(at.deps, {
    kubernetes: hostile<KubernetesPort>(at.kubernetes, isRead),
    connectKafka: () => hostile(at.kafka, (name) => name === 'close'),
    log: { info: log, warn: log },
  });
  Object.assign(at.context.resolved.experiment.cluster, {
    tls: { caSecret: 'ca', caKey: 'ca.crt' },
    sasl: { ...secured.sasl, usernameKey: 'username', passwordKey: 'password' },
  });
  return { ...at, logged };
}

/** JSON with payloads as text. */
function textOf(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    item instanceof Uint8Array ? Buffer.from(item).toString() : item,
  );
}

/** What an attempt gave away: its result or failure as history holds it, its heartbeats, and what the SDK and we logged. */
async function givenAway(
  at: { logged: string[] },
  step: (request: never) => Promise<unknown>,
  request: object,
) {
  const logger = new DefaultLogger('TRACE', ({ message, meta }) => {
    at.logged.push(`${message} ${textOf(meta)} ${(meta as { error?: Error })?.error?.stack ?? ''}`);
  });
  const environment = new MockActivityEnvironment({ workflowExecution: run }, { logger });
  const beats: unknown[] = [];
  environment.on('heartbeat', (details: unknown) => beats.push(details));
  const timer = setTimeout(() => environment.cancel(), patienceMs);
  let failure: unknown;
  const result = await environment.run(step, request as never).catch((error: unknown) => {
    failure = error;
  });
  clearTimeout(timer);
  const inHistory =
    failure === undefined
      ? result
      : defaultFailureConverter.errorToFailure(ensureApplicationFailure(failure), defaultPayloadConverter);
  return { text: textOf([inHistory, beats, at.logged]), failure };
}

const now = Date.now();
const plan = {
  ...{ index: 0, deadline: now, notAfter: now + 1_000, broker: 1002, pod: 'kafka-kafka-2', podUid: 'u' },
  ...{ namespace: 'kafka', guardReasons: [], isr: [], replicas: [], leader: 1002, guardWaitMs: 0 },
} as unknown as KillPlan;
const act = {
  outcome: 'deleted',
  requestedAt: now,
  answeredAt: now,
  gracePeriodSeconds: 30,
  repeated: false,
};

type StepName = keyof (Activities & JanitorActivities);

/** What each step is asked for. */
const requests: Record<StepName, (at: Scene) => object> = {
  resolve: () => ({ cluster: secured, reach: 'direct' }),
  provision: ({ context }) => context.resolved,
  annotate: ({ context }) => context,
  startLiveness: ({ context }) => context,
  aim: (at) => ({ ...at.context, liveness: at.liveness, index: 0, deadline: now, until: now + 1_000 }),
  kill: (at) => ({ ...at.context, liveness: at.liveness, plan }),
  prove: (at) => ({ ...at.context, liveness: at.liveness, plan, act, until: now + 1_000 }),
  // Without a line to look at, nobody would ask the pod.
  watchSlo: ({ context: { resolved }, liveness }) => ({
    resolved: { ...resolved, experiment: { ...resolved.experiment, abortOn: ['producer-outage-max'] } },
    liveness,
  }),
  takePart: ({ liveness }) => ({ liveness, from: now - 60_000, to: now }),
  closeStream: (at) => ({ ...at.context, liveness: at.liveness, until: now, kills: [] }),
  cleanUp: ({ context, liveness }) => ({ ...context, liveness }),
  releaseClaim: () => ({ input: { cluster: secured, reach: 'direct' } }),
  record: ({ context }) => ({
    ...{ result: { ...refusedResult(), kills: [] }, resolved: context.resolved },
    pause: { scheduleId: 'nightly', note: 'a note' },
  }),
  sweep: () => ({ namespaces: ['kafka'] }),
};

const cases = (['nothing', 'everything'] as const).flatMap((reads) =>
  (Object.keys(requests) as StepName[]).map((name) => [name, reads] as const),
);

test.concurrent.each(cases)('%s gives nothing away where Kubernetes answers %s', async (name, reads) => {
  const at = await brokenScene(reads);
  if (name === 'record') at.deps.pauseSchedule = async () => leak();
  const steps = createActivities(at.deps);
  // What nobody here has read, nobody can have sent.
  await readSecurity(at.deps.kubernetes, at.context.resolved.experiment);
  const { text } = await givenAway(at, steps[name] as never, requests[name](at));
  expect(text).not.toMatch(canary);
});

test('the failure of a step is told with what stood there, and so is all that is made of it', async () => {
  const at = await brokenScene('everything');
  const { resolve } = createActivities(at.deps);
  const { failure } = await givenAway(at, resolve as never, requests.resolve(at));
  if (!(failure instanceof ApplicationFailure)) throw new Error('the step did not fail');
  const found = problemOfFailure(failure, 'resolve');
  expect(JSON.stringify(found)).toContain('<secret> refused for Bearer <secret> by <host>');
  const evidence = { plannedKills: 0, minKills: 1, kills: [], cancelled: false, problem: found };
  const { verdict, reasons, lines } = judge(evidence);
  const timeline = [
    { at: refusedResult().endedAt, step: 'resolve', text: `error: ${found.message}` } as const,
  ];
  const result: ChaosResult = { ...refusedResult(), verdict, reasons, lines, problem: found, timeline };
  const reports = [
    textReport(result),
    markdownReport(result),
    jsonReport(result),
    junitReport(result),
    htmlReport(result, '', (text) => text),
  ];
  for (const report of reports) {
    expect(report).toMatch(/refused for Bearer/);
    expect(report).not.toMatch(canary);
  }
});
