import type { Command } from 'commander';
import type { ActivityDependencies } from '../../activities/dependencies.ts';
import { LeaderfallError } from '../../experiment/errors.ts';
import { parseExperiment } from '../../experiment/parse.ts';
import { resolveExperiment } from '../../experiment/resolve.ts';
import type { ResolvedExperiment } from '../../experiment/spec.ts';
import { plain, type Tone } from '../../report/format.ts';
import { type ClusterOptions, withCluster } from '../cluster-access.ts';
import { apiFindings, imageFindings, kafkaFindings, rightFindings } from '../doctor/cluster-findings.ts';
import { type Finding, look } from '../doctor/finding.ts';
import {
  attributeFindings,
  janitorFindings,
  serverFindings,
  workerFindings,
} from '../doctor/temporal-findings.ts';
import { paintResult as paint } from '../print-problem.ts';
import { readInput } from '../read-input.ts';
import { defaultTaskQueue } from '../start-run.ts';
import { withTemporal } from './shared.ts';

const signs: Record<Finding['state'], [Tone, string]> = {
  ok: ['good', '✓'],
  warning: ['warn', '!'],
  bad: ['bad', '✗'],
  skipped: ['dim', '-'],
};

/** `leaderfall doctor` */
export function addDoctor(program: Command, exit: (code: number) => void): void {
  program
    .command('doctor')
    .description('check Temporal, worker, cluster, rights, Kafka and image, and say what to do')
    .option('-f, --file <file>', 'experiment whose target is checked (default: the default target)')
    .option('--context <name>', 'context of the kubeconfig')
    .option('--kubeconfig <file>', 'kubeconfig (default: KUBECONFIG, ~/.kube/config, in-cluster)')
    .option('--task-queue <name>', 'queue of the worker (default: LEADERFALL_TASK_QUEUE or leaderfall)')
    .option('--json', 'write the findings as JSON')
    .addHelpText(
      'after',
      '\nAsks with your own rights and settings. Exit codes: 0 fine or warnings, 1 something is bad.',
    )
    .action(async (options: ClusterOptions & { file?: string; taskQueue?: string; json?: boolean }) => {
      const input = options.file === undefined ? {} : await readInput(options.file);
      const taskQueue = options.taskQueue ?? process.env.LEADERFALL_TASK_QUEUE ?? defaultTaskQueue;
      const [temporal, cluster] = await Promise.all([
        temporalChecks(taskQueue),
        look('Kubernetes', () => withCluster(options, (deps) => clusterChecks(deps, input))),
      ]);
      const findings = [...temporal, ...cluster];
      const lines = options.json ? [JSON.stringify(findings, null, 2)] : findings.flatMap(findingLines);
      process.stdout.write(`${lines.join('\n')}\n`);
      exit(findings.some(({ state }) => state === 'bad') ? 1 : 0);
    });
}

function temporalChecks(taskQueue: string): Promise<Finding[]> {
  return look('Temporal', () =>
    withTemporal(async (access) => [
      ...(await look('Temporal', () => serverFindings(access))),
      ...(await look('worker', () => workerFindings(access, taskQueue))),
      ...(await look('search attributes', () => attributeFindings(access))),
      ...(await look('janitor', () => janitorFindings(access, taskQueue))),
    ]),
  );
}

async function clusterChecks(deps: ActivityDependencies, input: unknown): Promise<Finding[]> {
  const api = await look('Kubernetes', () => apiFindings(deps.kubernetes));
  if (api.some(({ state }) => state === 'bad')) return api;
  const experiment = targetOf(deps, input);
  const image = experiment?.liveness.image ?? deps.defaults.image;
  const pulled = await look('image', () => imageFindings(deps.kubernetes, image));
  if (!experiment) {
    const text = 'rights and Kafka: no target is named; give one with -f FILE';
    return [...api, ...pulled, { about: 'target', state: 'skipped', text }];
  }
  return [
    ...api,
    ...(await look('rights', () => rightFindings(deps, experiment))),
    ...(await look('Kafka', () => kafkaFindings(deps, experiment))),
    ...pulled,
  ];
}

/** Undefined where neither the file nor the settings name a target. */
function targetOf(deps: ActivityDependencies, input: unknown): ResolvedExperiment | undefined {
  try {
    return resolveExperiment(parseExperiment(input).experiment, deps.defaults);
  } catch (error) {
    if (error instanceof LeaderfallError && error.problem.code === 'INPUT_INVALID') return undefined;
    throw error;
  }
}

function findingLines({ about, state, text, evidence, next }: Finding): string[] {
  const [tone, sign] = signs[state];
  return [
    `${paint(tone, sign)} ${about.padEnd(17)} ${plain(text)}`,
    ...(evidence ?? []).map((fact) => `  ${''.padEnd(17)} - ${plain(fact)}`),
    ...(next ? [`  ${''.padEnd(17)} ${paint('strong', 'next:')} ${plain(next)}`] : []),
  ];
}
