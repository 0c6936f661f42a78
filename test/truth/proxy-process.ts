import { watchPauses } from './pauses.ts';
import { takePrecedence } from './precedence.ts';
import { answerParent, type ProxyRequest } from './protocol.ts';
import { openWay, type Way } from './way.ts';

/** A process of its own, so that what the observer or the clients do never shifts an outage's beginning or end. */
takePrecedence();
const own = watchPauses('proxy');
const ways: Way[] = [];

answerParent<ProxyRequest>(async (request) => {
  if (request.what === 'open') {
    ways.push(...(await Promise.all(request.targets.map(openWay))));
    return ways.map(({ port }) => port);
  }
  if (request.what === 'disturb') return await ways[request.target]?.disturb(request.planned);
  return [...own.pauses, ...(ways[request.target]?.pauses ?? [])];
});
