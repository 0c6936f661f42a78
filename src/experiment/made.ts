/** A Kubernetes object that the run itself made. */
export interface MadeObject {
  apiVersion: string;
  kind: string;
  name: string;
  namespace?: string;
}

/** A KUDO package as used: enough to find it again, never its templates. */
export interface PackageRecord {
  name: string;
  operatorVersion: string;
  appVersion?: string;
  /** sha256 of the archive, or of the sorted files of a directory, hex. */
  digest: string;
  /** What was changed before use, in words, e.g. the PodDisruptionBudget API. */
  rewrites: string[];
}
