/** The demo is a promise in public: it runs to its end, and says on the way what it promises. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const demo = fileURLToPath(new URL('../../examples/demo/demo.sh', import.meta.url));

/** What it tells; where it fails, the end of that is the reason. */
async function told(env: NodeJS.ProcessEnv): Promise<string> {
  const both = ['-c', 'exec "$0" 2>&1', demo];
  try {
    return (await promisify(execFile)('bash', both, { env, timeout: 280_000 })).stdout;
  } catch (error) {
    const { stdout, message } = error as Error & { stdout: string };
    throw new Error(
      `${message}
${stdout.slice(-4_000)}`,
      { cause: error },
    );
  }
}

test('npm run demo tells its whole story', async () => {
  const stdout = await told(process.env);
  const milestones = [
    /NothingYet: no documents were accepted yet/,
    /did you mean/i,
    /Valid: 2 Secondaries/,
    /Plan: 4 to create/,
    /accepted generation 1 /,
    /unnest-guest web .*128 MiB/,
    /unnest-guest worker .*1 vCPU/,
    /spec\.memory: 128MiB -> 96MiB \(live\)/,
    /spec\.vcpus: 1 -> 2 \(restart\)/,
    /worker: stop: done: by its power button/,
    /unnest-guest web .*96 MiB/,
    /unnest-guest worker .*2 vCPU/,
    /OverBudget: limits\.vcpus is 2: 1 are used \(first 1\), it asks for 2, which is 1 too much/,
    /unnest-guest first /,
    /neighbour .* 1\/2 +1\/2 /,
    /web +Stopped +Blocked +Suspended .*Held: paused by uid 0/,
    /worker: delete/,
    /3 .* in force\n/,
    /generation 4 /,
    /unnest-guest web disks vda:data:64/,
    /unnest-guest web address 10\.20\.0\.\d+/,
    /unnest-guest web disks vda:data:128/,
    /Draining +True +Empty/,
    /Nothing is left/,
  ];
  for (const milestone of milestones) expect(stdout).toMatch(milestone);
}, 300_000);

test('where it cannot be, it says so at the start and tells it on a simulated host', async () => {
  const stdout = await told({ ...process.env, UNNEST_DEMO_SIMULATED: '1' });
  expect(stdout.slice(0, stdout.indexOf('=='))).toContain('No guest boots here');
  const milestones = [
    /did you mean/i,
    /Plan: 2 to create/,
    /simulated guest web .*128 MiB/,
    /spec\.memory: 128MiB -> 96MiB \(live\)/,
    /spec\.vcpus: 1 -> 2 \(restart\)/,
    /simulated guest web .*96 MiB/,
    /simulated guest worker .*2 vCPU/,
    /No changes/,
    /it does not run/,
    /volume data: create/,
    /grow to 128MiB while its guest runs/,
    /volume data: delete, destroys its data/,
    /Nothing is left/,
  ];
  for (const milestone of milestones) expect(stdout).toMatch(milestone);
}, 300_000);
