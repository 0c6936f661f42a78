/** They keep their data, or have none, and are simply started again. */
const restartable = ['temporal', 'temporal-relay', 'registry'];

/** Whether `up` may build on what is there: dead nodes, a dead control plane and an `up` that never ended cannot be trusted to heal. */
export function isWhole(
  found: { complete: string | undefined; processes: { name: string; running: boolean }[] },
  version: string,
): boolean {
  if (found.complete !== version) return false;
  return found.processes.every(({ name, running }) => running || restartable.includes(name));
}
