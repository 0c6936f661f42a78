import type { Command } from 'commander';

/** `leaderfall worker` */
export function addWorker(program: Command): void {
  program
    .command('worker')
    .description('carry out runs: polls Temporal, speaks to Kubernetes and Kafka')
    .option('--context <name>', 'context of the kubeconfig')
    .option('--kubeconfig <file>', 'kubeconfig (default: KUBECONFIG, ~/.kube/config, in-cluster)')
    .addHelpText('after', '\nSettings come from LEADERFALL_* and TEMPORAL_* variables.')
    .action(async (options: { context?: string; kubeconfig?: string }) => {
      // The native part of the SDK takes a second to load, which no other command should pay.
      const { runWorker } = await import('../../worker/run-worker.ts');
      await runWorker(process.env, options);
    });
}
