import {
  type CancellationScope,
  condition,
  defineQuery,
  defineSignal,
  defineUpdate,
  setHandler,
} from '@temporalio/workflow';
import type { Progress } from '../activities/contract.ts';
import {
  type Asked,
  heldFor,
  type Request,
  readRequest,
  refusalOf,
  requests,
} from '../experiment/steering.ts';
import { statusOf } from './details.ts';
import { type Story, showDetails, tell } from './story.ts';
import { leadMsOf } from './until-due.ts';

/** From when a kill is prepared at the latest to its deadline, and a little more to have it begun. ms */
const beginMs = 500;

/**
 * Takes requests of people from now on: updates and queries of the workflow, which the Web UI, `temporal` and every client can
 * send. `chaos` is the scope that an abort ends. A request that cannot be done is rejected with the reason and leaves no trace.
 */
export function takeRequests(story: Story, chaos: CancellationScope): void {
  for (const request of Object.keys(requests) as Request[]) {
    setHandler(defineUpdate<string, [unknown]>(request), (input) => carryOut(request, input, story, chaos), {
      description: requests[request],
      validator: (input) => {
        const asked = readRequest(request, input);
        const { steering, resolved } = story;
        const refusal = refusalOf(request, asked, steering, resolved?.experiment.schedule, Date.now());
        if (refusal) throw new Error(refusal);
      },
    });
  }
  // For those who cannot send updates; a stop is never refused for a slip in its input.
  setHandler(
    defineSignal<[unknown?]>('abort'),
    (input) => {
      const said = typeof input === 'object' && input !== null ? (input as Record<string, unknown>) : {};
      const text = (value: unknown) => (typeof value === 'string' ? value : 'not given');
      if (!story.steering.stoppedBy && story.steering.round !== 'over')
        stop(story, chaos, { actor: text(said.actor), reason: text(said.reason) });
    },
    { description: requests.abort },
  );
  setHandler(
    defineSignal<[Progress]>('progress'),
    (progress) => {
      story.progress = progress;
      showDetails(story);
    },
    { description: 'Sent by the run’s own steps: what the one under way waits for.' },
  );
  setHandler(defineQuery('status'), () => statusOf(story), { description: 'Where the run stands.' });
  setHandler(defineQuery('timeline'), () => story.timeline, { description: 'What has happened so far.' });
  setHandler(
    defineQuery('evidence'),
    () => ({ kills: story.kills, stream: story.closing?.stream, livenessPod: story.closing?.livenessPod }),
    { description: 'Kills with their proofs, and the stream once it is closed.' },
  );
}

async function carryOut(
  request: Request,
  input: unknown,
  story: Story,
  chaos: CancellationScope,
): Promise<string> {
  const { actor, reason, kills } = readRequest(request, input);
  const { steering } = story;
  const by = `by ${actor}: ${reason}`;
  switch (request) {
    case 'abort':
      stop(story, chaos, { actor, reason });
      return 'stopped: no further kill, the run cleans up';
    case 'pause': {
      steering.paused = { at: Date.now(), actor, reason };
      delete steering.killNowAt;
      story.changes++;
      tell(story, 'kill', `paused ${by}`);
      // An act that is being carried out cannot be called back; once this has answered, no kill comes before resume.
      await condition(() => steering.round !== 'killing');
      return 'paused: no kill before resume';
    }
    case 'resume': {
      const heldMs = endPause(story);
      tell(story, 'kill', `resumed ${by}; later deadlines moved by ${heldMs} ms`);
      return `resumed: later deadlines moved by ${heldMs} ms`;
    }
    case 'skipNext':
      steering.skipNext = { actor, reason };
      story.changes++;
      tell(story, 'kill', `the next kill is to be skipped, asked ${by}`);
      return 'the next kill will be skipped';
    case 'killNow':
      steering.killNowAt = Date.now() + leadMsOf(story.resolved ?? {}) + beginMs;
      story.changes++;
      tell(story, 'kill', `kill ${steering.next + 1} is to be made now, asked ${by}`);
      return `kill ${steering.next + 1} is being made`;
    case 'extend':
      steering.extraKills += kills;
      story.changes++;
      tell(story, 'kill', `extended by ${kills} kills ${by}`);
      return `extended by ${kills} kills`;
  }
}

/** Ends a pause: all later deadlines move by as long as it lasted. Gives that time, ms. */
function endPause(story: Story): number {
  const { steering } = story;
  const heldMs = heldFor(steering, Date.now());
  steering.shiftMs += heldMs;
  delete steering.paused;
  story.changes++;
  return heldMs;
}

/** Deadlines count from now on; a pause that began before holds them from here. */
export function beginDeadlines({ steering }: Story): void {
  if (steering.round !== 'before') return;
  if (steering.paused) steering.paused.at = Date.now();
  steering.round = 'waiting';
}

function stop(story: Story, chaos: CancellationScope, asked: Asked): void {
  noteStop(story, asked);
  chaos.cancel();
}

/** Keeps who stopped the run; the first counts. */
export function noteStop(story: Story, asked: Asked): void {
  if (story.steering.stoppedBy) return;
  story.steering.stoppedBy = asked;
  tell(story, story.step ?? 'resolve', `stopped by ${asked.actor}: ${asked.reason}`);
}
