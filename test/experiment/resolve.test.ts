import { describe, expect, it } from 'vitest';
import { parseExperiment } from '../../src/experiment/parse.ts';
import { resolveExperiment, type WorkerDefaults } from '../../src/experiment/resolve.ts';
import { problemOf } from './problem-of.ts';

const image = 'leaderfall:1';

const resolved = (input: unknown, defaults: Partial<WorkerDefaults> = {}) =>
  resolveExperiment(parseExperiment(input).experiment, { image, ...defaults });

describe('resolving an experiment', () => {
  const target = { namespace: 'kafka', statefulSet: 'kafka-kafka', label: 'app=other', port: 9093 };

  it('without a namespace kills nobody unless the worker names a victim', () => {
    const { code, evidence } = problemOf(() => resolved({}));
    expect(code).toBe('INPUT_INVALID');
    expect(evidence).toEqual(['cluster.namespace: not given, and the worker has no default target']);
    expect(resolved({}, { target }).cluster).toMatchObject({ ...target, service: undefined });
  });

  it('with a namespace takes nothing from the worker’s victim', () => {
    const { cluster } = resolved({ cluster: { namespace: 'mine' } }, { target });
    expect(cluster).toMatchObject({ namespace: 'mine', label: 'app=kafka', port: 9092 });
    expect(cluster.statefulSet).toBeUndefined();
  });

  it('lets the experiment’s words win over the worker’s', () => {
    const cluster = { statefulSet: 'mine', label: 'app=mine' };
    expect(resolved({ cluster }, { target }).cluster).toMatchObject({
      ...cluster,
      namespace: 'kafka',
      port: 9093,
    });
    const provision = { managerImage: 'mine:1', kafka: { instance: 'kafka', parameters: { A: '1' } } };
    const kudo = {
      managerImage: 'worker:1',
      kafkaParameters: { A: '2', B: '2' },
      kafkaPackage: '/packages/kafka',
    };
    expect(resolved({ provision }, { target, kudo }).provision).toMatchObject({
      managerImage: 'mine:1',
      kafka: { package: '/packages/kafka', parameters: { A: '1', B: '2' } },
    });
    expect(resolved({}, { target, kudo }).provision.managerImage).toBe('worker:1');
  });

  it('takes from the worker what the experiment leaves open', () => {
    const kudo = { zookeeperPackage: '/packages/zookeeper', repository: 'https://repo.example/' };
    const { provision, annotationCheck } = resolved({}, { target, kudo });
    expect(provision).toMatchObject({
      repository: kudo.repository,
      zookeeper: { package: kudo.zookeeperPackage },
    });
    expect(annotationCheck).toBe(true);
    expect(resolved({ annotationCheck: false }, { target }).annotationCheck).toBe(false);
  });

  it('tells what to do where no victim is named', () => {
    expect(problemOf(() => resolved({})).next).toContain('LEADERFALL_TARGET_NAMESPACE');
  });

  it('is not emptied by a victim that leaves things out', () => {
    const sparse = { namespace: 'kafka', label: undefined, service: undefined, port: undefined };
    expect(resolved({}, { target: sparse }).cluster).toMatchObject({ label: 'app=kafka', port: 9092 });
  });

  it.each([
    [1, 1],
    [2, 1],
    [3, 2],
  ])('asks for replication factor %i with min.insync.replicas %i', (replicationFactor, minInsyncReplicas) => {
    const { liveness } = resolved({ liveness: { replicationFactor } }, { target });
    expect(liveness).toMatchObject({ minInsyncReplicas, image });
  });

  it('wants all planned kills proven unless told otherwise', () => {
    expect(resolved({}, { target }).schedule.minKills).toBe(3);
    expect(resolved({ schedule: { minKills: 1 } }, { target }).schedule.minKills).toBe(1);
  });
});
