import { Argument, type Command } from 'commander';
import { jsonSchemas, type SchemaName, schemaNames } from '../../experiment/json-schema.ts';
import { faultKinds } from '../../faults/all-faults.ts';

/** `leaderfall schema` */
export function addSchema(program: Command): void {
  program
    .command('schema')
    .description('JSON Schema of what run, schedule or promote takes, or of what it gives')
    .addArgument(new Argument('[what]').choices([...schemaNames]).default('experiment'))
    .action((what: SchemaName) => {
      process.stdout.write(`${JSON.stringify(jsonSchemas(faultKinds)[what], null, 2)}\n`);
    });
}
