import type { MetadataVersion } from './metadata-protocol.ts';

/** A broker that does not know a version ends the connection on it at once; the way to it may be long. ms */
const atOnceMs = 500;

/** Which version of Metadata one broker understands, as far as it has shown it. */
export interface KnownVersion {
  /** By which a new connection asks. */
  readonly version: MetadataVersion;
  /** It has answered before. */
  readonly known: boolean;
  answered(by: MetadataVersion): void;
  /** It gave no answer, or was not reached. `endedAfterMs`: it ended the connection, so long after the question. */
  failed(by: MetadataVersion, endedAfterMs?: number): void;
}

/**
 * A broker before 2.1 ends the connection on v7, so v4 is tried next. So does one that is just going down, which then does not answer
 * v4 either: it is asked by v7 again.
 */
export function knownVersion(): KnownVersion {
  let version: MetadataVersion = 7;
  let known = false;
  return {
    get version() {
      return version;
    },
    get known() {
      return known;
    },
    answered(by) {
      version = by;
      known = true;
    },
    failed(by, endedAfterMs = Number.POSITIVE_INFINITY) {
      if (!known) version = by === 7 && endedAfterMs < atOnceMs ? 4 : 7;
    },
  };
}
