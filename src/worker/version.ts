import { existsSync, readFileSync } from 'node:fs';

/** Version of this project, as its package.json says; the same from sources and from the build, one folder deeper. */
export const version: string = versionOf('leaderfall', ['../../package.json', '../../../package.json']);

/** Version of the Temporal SDK in use. */
export const temporalSdkVersion: string = versionOf('@temporalio/client', [
  import.meta.resolve('@temporalio/client/package.json'),
]);

function versionOf(name: string, places: string[]): string {
  for (const place of places) {
    const url = new URL(place, import.meta.url);
    if (!existsSync(url)) continue;
    const found = JSON.parse(readFileSync(url, 'utf8')) as { name: string; version: string };
    if (found.name === name) return found.version;
  }
  return 'unknown';
}
