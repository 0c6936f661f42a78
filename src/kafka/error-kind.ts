/** What of an error tells its kind; kafkajs keeps the broker's word and its own in different places. */
interface ErrorLike {
  name?: string;
  type?: string;
  code?: string | number;
  cause?: unknown;
  originalError?: unknown;
}

/**
 * One word for what went wrong: Kafka's own error (`NOT_LEADER_FOR_PARTITION`) where a broker answered, else the network's
 * (`ECONNREFUSED`), else the name of the client's innermost error (`KafkaJSRequestTimeoutError`).
 */
export function errorKind(error: unknown): string {
  const chain: ErrorLike[] = [];
  let next: unknown = error;
  while (typeof next === 'object' && next !== null && chain.length < 6) {
    const found = next as ErrorLike;
    chain.push(found);
    next = found.cause ?? found.originalError;
  }
  const inmost = chain.reverse();
  return (
    inmost.find(({ type }) => typeof type === 'string')?.type ??
    inmost.map(({ code }) => code).find((code) => typeof code === 'string') ??
    inmost[0]?.name ??
    'Error'
  );
}
