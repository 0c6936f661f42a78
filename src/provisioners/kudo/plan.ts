import type { KubernetesObject } from '../../kubernetes/port.ts';

/** Status words of KUDO for plans, phases and steps. */
export type PlanState = 'NEVER_RUN' | 'PENDING' | 'IN_PROGRESS' | 'COMPLETE' | 'ERROR' | 'FATAL_ERROR';

interface Node {
  name: string;
  status: PlanState;
  message?: string;
}

/** One plan in an Instance's status. */
export interface PlanStatus extends Node {
  uid?: string;
  phases?: (Node & { steps?: Node[] })[];
}

/** The parts of an Instance that we rely on. */
export interface Instance extends KubernetesObject {
  spec?: { operatorVersion?: { name?: string }; planExecution?: { planName?: string; uid?: string } };
  status?: { planStatus?: Record<string, PlanStatus> };
}

/** State of the plan `deploy`. Only planStatus tells: planExecution empties before the end, and condition Ready misleads. */
export function deployStatus(instance: Instance): PlanStatus | undefined {
  return instance.status?.planStatus?.deploy;
}

/** The plan as an indented tree, one line a node. */
export function planTree(instance: string, plan: PlanStatus): string[] {
  return [
    `${instance}: plan ${plan.name} ${plan.status}`,
    ...(plan.phases ?? []).flatMap((phase) => [
      `  phase ${phase.name} ${phase.status}`,
      ...(phase.steps ?? []).map((step) => `    step ${step.name} ${step.status}`),
    ]),
  ];
}

/** Messages of a plan that ended in FATAL_ERROR, with the path of the node that holds each. */
export function fatalMessages(plan: PlanStatus): string[] {
  const found: string[] = [];
  const add = (path: string, node: Node) => {
    if (node.status === 'FATAL_ERROR' && node.message) found.push(`${path}: ${node.message}`);
  };
  for (const phase of plan.phases ?? []) {
    for (const step of phase.steps ?? []) add(`${plan.name}.${phase.name}.${step.name}`, step);
    add(`${plan.name}.${phase.name}`, phase);
  }
  add(plan.name, plan);
  return found;
}
