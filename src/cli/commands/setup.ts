import type { Command } from 'commander';
import { problem } from '../../experiment/errors.ts';
import {
  compareRegistered,
  indexedValueTypes,
  type SearchAttributeName,
  searchAttributeNames,
  searchAttributes,
} from '../../experiment/search-attributes.ts';
import { messageOf, type TemporalAccess } from '../connect-temporal.ts';
import { withTemporal } from './shared.ts';

/** `leaderfall setup` */
export function addSetup(program: Command): void {
  program
    .command('setup')
    .description('register the search attributes of runs in the Temporal namespace; again is harmless')
    .action(async () => {
      for (const line of await withTemporal(setUp)) process.stdout.write(`${line}\n`);
    });
}

/**
 * Registers what is missing and gives one line for each attribute. Throws CONFIGURATION_INVALID where Temporal does not let us,
 * or where one is there with another type, which nothing but its removal mends.
 */
export async function setUp({ connection, namespace }: TemporalAccess): Promise<string[]> {
  const { operatorService } = connection;
  const refused = (cause: unknown) =>
    problem('CONFIGURATION_INVALID', `search attributes of namespace ${namespace} cannot be registered`, {
      evidence: [messageOf(cause)],
      next: `Register them as your Temporal provides for it: ${searchAttributeNames.map(typed).join(', ')}. Runs work without them.`,
      cause,
    });
  const { customAttributes } = await operatorService
    .listSearchAttributes({ namespace })
    .catch((cause: unknown) => {
      throw refused(cause);
    });
  const { present, missing, otherType } = compareRegistered(customAttributes ?? {});
  if (otherType.length > 0) {
    throw problem('CONFIGURATION_INVALID', `registered with another type: ${otherType.join(', ')}`, {
      evidence: otherType.map((name) => `expected ${typed(name)}`),
      next: `temporal operator search-attribute remove --namespace ${namespace} ${otherType.map((name) => `--name ${name}`).join(' ')}`,
    });
  }
  if (missing.length > 0) {
    const wanted = Object.fromEntries(
      missing.map((name) => [name, indexedValueTypes[searchAttributes[name]]] as const),
    );
    await operatorService
      .addSearchAttributes({ namespace, searchAttributes: wanted })
      .catch((cause: unknown) => {
        throw refused(cause);
      });
  }
  return [
    ...missing.map((name) => `${typed(name)}: registered in ${namespace}`),
    ...present.map((name) => `${typed(name)}: was there`),
  ];
}

function typed(name: SearchAttributeName): string {
  return `${name} (${searchAttributes[name]})`;
}
