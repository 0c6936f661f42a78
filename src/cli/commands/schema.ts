import { Argument, type Command } from 'commander';
import { experimentJsonSchema, resultJsonSchema } from '../../experiment/json-schema.ts';
import { faultKinds } from '../../faults/all-faults.ts';

/** `leaderfall schema` */
export function addSchema(program: Command): void {
  program
    .command('schema')
    .description('JSON Schema of what run takes, or of what it gives')
    .addArgument(new Argument('[what]').choices(['experiment', 'result']).default('experiment'))
    .action((what: 'experiment' | 'result') => {
      const schema = what === 'result' ? resultJsonSchema() : experimentJsonSchema(faultKinds);
      process.stdout.write(`${JSON.stringify(schema, null, 2)}\n`);
    });
}
