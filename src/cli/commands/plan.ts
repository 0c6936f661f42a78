import type { Command } from 'commander';
import { duration, plain } from '../../report/format.ts';
import { type ClusterOptions, withCluster } from '../cluster-access.ts';
import { brokerTable } from '../plan/broker-table.ts';
import { planRun, type RunPlan } from '../plan/plan-run.ts';
import { sloTable } from '../plan/slo-table.ts';
import { paintResult as paint } from '../print-problem.ts';
import { readInput } from '../read-input.ts';

/** `leaderfall plan` */
export function addPlan(program: Command): void {
  program
    .command('plan')
    .description('dry run: what a run would do here; kills nobody, makes nothing')
    .requiredOption(
      '-f, --file <file>',
      'experiment or Litmus ChaosEngine, YAML or JSON; - reads standard input',
    )
    .option('--context <name>', 'context of the kubeconfig')
    .option('--kubeconfig <file>', 'kubeconfig (default: KUBECONFIG, ~/.kube/config, in-cluster)')
    .option('--json', 'write it as JSON')
    .addHelpText(
      'after',
      '\nAsks with your own rights and LEADERFALL_* settings; a worker elsewhere has its own.',
    )
    .action(async (options: ClusterOptions & { file: string; json?: boolean }) => {
      const input = await readInput(options.file);
      const plan = await withCluster(options, (deps) => planRun(deps, input, AbortSignal.timeout(60_000)));
      process.stdout.write(
        options.json ? `${JSON.stringify(plan, null, 2)}\n` : `${planLines(plan).join('\n')}\n`,
      );
    });
}

/** A plan as text for a terminal. */
export function planLines(plan: RunPlan): string[] {
  const { kafka, kills, namespace, statefulSet, isThere } = plan;
  const head = (text: string) => ['', paint('strong', text)];
  const list = (texts: string[]) => texts.map((text) => `  ${plain(text)}`);
  const rhythm = kills.count > 1 ? `, one each ${kills.intervalSeconds} s` : '';
  const lines = [
    `${paint('strong', 'target')}    ${namespace}/${statefulSet}, ${isThere ? 'as it is' : 'to be made with KUDO'}`,
    `${paint('strong', 'kills')}     ${kills.count} × ${kills.target}${rhythm}`,
    `${paint('strong', 'fault')}     ${kills.fault}`,
  ];
  if (kafka) {
    const { radius, outages, reach } = kafka;
    lines.push(
      ...head(
        `blast radius: ${radius.partitions} partitions of ${radius.topics} topics, reached by ${reach}`,
      ),
      ...brokerTable(radius.brokers).map((row) => `  ${row}`),
    );
    for (const { death, ms, because } of outages) {
      const bound = ms === undefined ? 'not known' : `at most some ${duration(ms)}`;
      lines.push(...head(`outage of a partition of that broker by ${death}: ${bound}`), ...list(because));
    }
  }
  lines.push(...head('slo'), ...list(sloTable(plan.slo, plan.experiment.abortOn)));
  lines.push(...head('steps'), ...list(plan.steps), ...head('rights'), ...list(plan.permissions));
  if (plan.notes.length > 0) lines.push(...head('notes'), ...list(plan.notes));
  if (plan.warnings.length > 0) {
    lines.push(...head('warnings'), ...list(plan.warnings).map((text) => paint('warn', text)));
  }
  return [...lines, '', 'Nothing was made, nobody was killed.'];
}
