import { parseAllDocuments } from 'yaml';
import { inputInvalid } from './issues.ts';

/** The one document in a YAML or JSON text. INPUT_INVALID names the line of a syntax error. */
export function readExperimentText(text: string): unknown {
  const documents = parseAllDocuments(text);
  const errors = [...documents].flatMap((document) => document.errors);
  if (errors.length > 0) throw inputInvalid(errors.map((error) => `file: ${error.message.split('\n')[0]}`));
  const filled = [...documents].filter((document) => document.contents !== null);
  if (filled.length > 1)
    throw inputInvalid([`file: it holds ${filled.length} documents; one experiment a file`]);
  return filled[0]?.toJS() ?? {};
}
