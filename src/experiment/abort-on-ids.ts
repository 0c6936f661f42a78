/** Lines of the SLO whose figure the stream's pod tells at any time. */
export const streamFigureIds = [
  'producer-outage-max',
  'producer-outage-total',
  'consumer-silence',
  'duplicates',
] as const;

/** Lines whose figure the proof of a kill tells. */
const proofFigureIds = ['time-to-new-leader', 'time-to-full-isr'] as const;

/** Lines whose figure is known while a run goes on; those of the others only when the stream has been read to its end. */
export const abortOnIds = [...streamFigureIds, ...proofFigureIds] as const;

/** A line that can stop the injecting. */
export type AbortOnId = (typeof abortOnIds)[number];
