import { temporalClient } from './testbed.ts';

/** Everything that Temporal keeps of a run: its whole history and its description, payloads as text. */
export async function historyText(workflowId: string): Promise<string> {
  const handle = (await temporalClient()).workflow.getHandle(workflowId);
  const { raw } = await handle.describe();
  return JSON.stringify([await handle.fetchHistory(), raw], (_key, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString() : value,
  );
}
