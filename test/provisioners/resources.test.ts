import { expect, test } from 'vitest';
import type { KudoPackage } from '../../src/provisioners/kudo/package.ts';
import { deployStatus, fatalMessages, type Instance, planTree } from '../../src/provisioners/kudo/plan.ts';
import {
  checkedParameters,
  instanceObject,
  operatorVersionName,
  operatorVersionObject,
  parameterValue,
  rewriteFor,
  statefulSetName,
} from '../../src/provisioners/kudo/resources.ts';

const pdb = 'apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata:\n  name: x\n';
const other = 'apiVersion: policy/v1beta1\nkind: PodSecurityPolicy\n';
const pack: KudoPackage = {
  operator: { name: 'kafka', operatorVersion: '1.3.1', appVersion: '2.5.1', tasks: [], plans: {} },
  parameters: [
    { name: 'BROKER_COUNT', default: 3 },
    { name: 'RATIO', default: 0.5, type: 'number' },
    { name: 'LIST', default: ['a', 'b'] },
    { name: 'PATH', required: false },
    { name: 'SECRET' },
  ],
  templates: {
    'pdb.yaml': pdb,
    'psp.yaml': other,
    'statefulset.yaml':
      'apiVersion: apps/v1\nkind: StatefulSet\nmetadata:\n  name: {{ .Name }}-{{ .OperatorName }}\n',
  },
  digest: 'abc',
  source: 'x',
};
const marks = { labels: { l: '1' }, annotations: { a: '1' } };

test('from Kubernetes 1.25 on PodDisruptionBudgets are rewritten, and only they', () => {
  const { templates, rewrites } = rewriteFor(25, pack);
  expect(templates['pdb.yaml']).toContain('apiVersion: policy/v1\n');
  expect(templates['psp.yaml']).toBe(other);
  expect(rewrites).toEqual([expect.stringContaining('templates/pdb.yaml')]);
  expect(rewriteFor(24, pack)).toEqual({ templates: pack.templates, rewrites: [] });
});

test('a budget is found beside other kinds of its old group, and with quotes', () => {
  const quoted = pdb
    .replace('policy/v1beta1', '"policy/v1beta1"')
    .replace('PodDisruptionBudget', "'PodDisruptionBudget' # b");
  const templates = { 'all.yaml': `${other}---\n${pdb}---\n${other}`, 'quoted.yaml': quoted };
  const rewritten = rewriteFor(25, { ...pack, templates });
  expect(rewritten.templates).toEqual({
    'all.yaml': `${other}---\n${pdb.replace('v1beta1', 'v1')}---\n${other}`,
    'quoted.yaml': quoted.replace('v1beta1', 'v1'),
  });
  expect(rewritten.rewrites).toHaveLength(2);
});

test('an undeclared parameter is refused with the nearest name, a required one must be given', () => {
  expect(() => checkedParameters(pack, { BROKER_CONT: '3', SECRET: 's' }, 'p')).toThrow(
    expect.objectContaining({
      problem: expect.objectContaining({
        code: 'PARAMETER_UNKNOWN',
        evidence: ['p.BROKER_CONT: nearest is BROKER_COUNT'],
      }),
    }),
  );
  expect(() => checkedParameters(pack, {}, 'p')).toThrow('requires SECRET');
  expect(checkedParameters(pack, { SECRET: 's' }, 'p')).toEqual({ SECRET: 's' });
});

test('every declared parameter is in the OperatorVersion, defaults as strings, also those without one', () => {
  const object = operatorVersionObject(pack, {}, { name: 'n', namespace: 'k', marks });
  const { parameters } = object.spec as { parameters: Record<string, unknown>[] };
  expect(parameters).toEqual([
    { name: 'BROKER_COUNT', default: '3', required: true, immutable: false },
    { name: 'RATIO', default: '0.5', required: true, immutable: false, 'value-type': 'number' },
    { name: 'LIST', default: '- a\n- b\n', required: true, immutable: false },
    { name: 'PATH', required: false, immutable: false },
    { name: 'SECRET', required: true, immutable: false },
  ]);
});

test('the Instance is named, marked and labelled with its operator', () => {
  const object = instanceObject(pack, {
    name: 'kafka',
    namespace: 'k',
    operatorVersion: 'v',
    parameters: { A: '1' },
    marks,
  });
  expect(object.metadata?.labels).toEqual({ l: '1', 'kudo.dev/operator': 'kafka' });
  expect(object.spec).toEqual({ operatorVersion: { name: 'v' }, parameters: { A: '1' } });
});

test('names and values as KUDO makes them', () => {
  expect(operatorVersionName(pack)).toBe('kafka-2.5.1-1.3.1');
  expect(statefulSetName(pack, 'mine')).toBe('mine-kafka');
  expect(parameterValue(pack, {}, 'BROKER_COUNT')).toBe('3');
  expect(parameterValue(pack, { BROKER_COUNT: '5' }, 'BROKER_COUNT')).toBe('5');
});

test('a plan is shown as a tree, and its fatal step with its message', () => {
  const instance: Instance = {
    status: {
      planStatus: {
        deploy: {
          name: 'deploy',
          status: 'FATAL_ERROR',
          phases: [
            {
              name: 'p',
              status: 'FATAL_ERROR',
              steps: [
                { name: 's', status: 'FATAL_ERROR', message: 'no such kind' },
                { name: 't', status: 'PENDING' },
              ],
            },
          ],
        },
      },
    },
  };
  const plan = deployStatus(instance);
  if (!plan) throw new Error('no plan');
  expect(planTree('kafka', plan)).toEqual([
    'kafka: plan deploy FATAL_ERROR',
    '  phase p FATAL_ERROR',
    '    step s FATAL_ERROR',
    '    step t PENDING',
  ]);
  expect(fatalMessages(plan)).toEqual(['deploy.p.s: no such kind']);
});
