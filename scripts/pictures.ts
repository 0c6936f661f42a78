import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { reportOf, resultOf } from '../src/cli/commands/report.ts';
import { withTemporal } from '../src/cli/commands/shared.ts';
import { ensureChromium } from './ensure-chromium.ts';
import { reportPicture } from './report-picture.ts';

/**
 * Draws the pictures of reports that the documentation shows, of runs on the Temporal server that TEMPORAL_ADDRESS names:
 *   npm run pictures -- --pass WORKFLOW_ID --fail WORKFLOW_ID --inconclusive WORKFLOW_ID
 * Each is what `leaderfall report WORKFLOW_ID --html` shows in a browser; those that are not asked for stay as they are.
 */
const pictures = {
  pass: { verdict: 'Pass', dark: false },
  // One of them shows what the page is like where the reader's system is dark.
  fail: { verdict: 'Fail', dark: true },
  inconclusive: { verdict: 'Inconclusive', dark: false },
} as const;

const id = { type: 'string' } as const;
const { values } = parseArgs({ options: { pass: id, fail: id, inconclusive: id } });
const asked = Object.entries(pictures).flatMap(([name, picture]) => {
  const workflowId = values[name as keyof typeof pictures];
  return workflowId ? [{ name, workflowId, ...picture }] : [];
});
if (asked.length === 0) throw new Error('of which runs? --pass ID, --fail ID, --inconclusive ID');

ensureChromium();
await withTemporal(async (access) => {
  for (const { name, workflowId, verdict, dark } of asked) {
    const result = await resultOf(access, { workflowId });
    if (result.verdict !== verdict) {
      throw new Error(`run ${workflowId} ended as ${result.verdict}, not as ${verdict}`);
    }
    const file = fileURLToPath(new URL(`../docs/report-${name}.png`, import.meta.url));
    writeFileSync(file, await reportPicture(await reportOf(result, 'html'), { dark }));
    console.log(file);
  }
});
