import type { ResolvedExperiment } from '../../experiment/spec.ts';

/** What broker settings, by Kafka's names, mean for a run. */
export function settingWarnings(
  settings: Record<string, string | undefined>,
  { cluster }: Pick<ResolvedExperiment, 'cluster'>,
): string[] {
  const warnings: string[] = [];
  if (settings['delete.topic.enable'] === 'false') {
    warnings.push('delete.topic.enable=false: the stream’s topic will be emptied but stay behind');
  }
  if (settings['unclean.leader.election.enable'] === 'true') {
    warnings.push(
      'unclean.leader.election.enable=true: a kill may lose acknowledged records of other topics',
    );
  }
  const reauthenticated = Number(settings['connections.max.reauth.ms'] ?? 0);
  if (cluster.sasl && reauthenticated > 0) {
    warnings.push(
      `connections.max.reauth.ms=${reauthenticated}: brokers end connections after that time, which is taken for a broker that goes`,
    );
  }
  return warnings;
}
