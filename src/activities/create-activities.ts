import { makeAim } from './aim.ts';
import { makeAnnotate } from './annotate.ts';
import { makeCleanUp } from './clean-up.ts';
import { makeCloseStream } from './close-stream.ts';
import type { Activities } from './contract.ts';
import type { ActivityDependencies } from './dependencies.ts';
import type { JanitorActivities } from './janitor-contract.ts';
import { makeKill } from './kill.ts';
import { makeProve } from './prove.ts';
import { makeProvision } from './provision.ts';
import { makeRecord } from './record.ts';
import { makeReleaseClaim } from './release-claim.ts';
import { makeResolve } from './resolve.ts';
import { makeStartLiveness } from './start-liveness.ts';
import { makeSweep } from './sweep.ts';
import { makeTakePart } from './take-part.ts';
import { makeWatchSlo } from './watch-slo.ts';

/** All steps of runs and of the janitor with what they need. */
export function createActivities(deps: ActivityDependencies): Activities & JanitorActivities {
  return {
    resolve: makeResolve(deps),
    provision: makeProvision(deps),
    annotate: makeAnnotate(deps),
    startLiveness: makeStartLiveness(deps),
    aim: makeAim(deps),
    kill: makeKill(deps),
    prove: makeProve(deps),
    watchSlo: makeWatchSlo(deps),
    takePart: makeTakePart(deps),
    closeStream: makeCloseStream(deps),
    cleanUp: makeCleanUp(deps),
    releaseClaim: makeReleaseClaim(deps),
    record: makeRecord(deps),
    sweep: makeSweep(deps),
  };
}
