import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Files in the order of their names, numbers counted as numbers, on every machine and whatever failed last: the end-to-end files
 * that share a Kafka then follow one another, after the two that install theirs from nothing.
 */
export class ByName extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return [...files].sort((a, b) => a.moduleId.localeCompare(b.moduleId, 'en', { numeric: true }));
  }
}
