import { type Document, parseAllDocuments } from 'yaml';
import { inputInvalid } from './issues.ts';

/** The one document in a YAML or JSON text; empty ones beside it do not count. INPUT_INVALID names the line of a syntax error. */
export function readExperimentText(text: string): unknown {
  const documents: Document[] = [...parseAllDocuments(text)];
  // A warning is a value that would be read as something else than it says.
  const errors = documents.flatMap((document) => [...document.errors, ...document.warnings]);
  if (errors.length > 0) throw inputInvalid(errors.map((error) => `file: ${error.message.split('\n')[0]}`));
  const values = documents.map(contentOf).filter((value) => value !== null && value !== undefined);
  if (values.length > 1) {
    throw inputInvalid([`file: it holds ${values.length} documents; one experiment a file`]);
  }
  return values[0] ?? {};
}

function contentOf(document: Document): unknown {
  try {
    return document.toJS();
  } catch (error) {
    // An alias that cannot be resolved, or too many of them.
    throw inputInvalid([`file: ${error instanceof Error ? error.message : error}`]);
  }
}
