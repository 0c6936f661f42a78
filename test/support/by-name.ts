import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Files in the order of their names, numbers counted as numbers, on every machine and whatever failed last: the end-to-end files
 * that share a Kafka then follow one another, after the two that install theirs from nothing. Unit tests share nothing, and go
 * as Vitest has it: what took longest begins first, or nothing would be left to do beside it.
 */
export class ByName extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const [units, others] = [files.filter(isUnit), files.filter((file) => !isUnit(file))];
    const byName = others.sort((a, b) => a.moduleId.localeCompare(b.moduleId, 'en', { numeric: true }));
    return [...(await super.sort(units)), ...byName];
  }
}

function isUnit({ project }: TestSpecification): boolean {
  return project.name.startsWith('unit');
}
