/**
 * `npm run lab`: builds the lab, tells what happens in it, and takes it away again.
 *
 *   npm run lab                      all quick scenarios
 *   npm run lab -- run NAME...       some
 *   npm run lab -- keep              a lab that stays, with unnestd and two Primaries
 *   npm run lab -- shell             a shell of root's on its host (a lab for as long as the shell, if none is kept)
 *   npm run lab -- primary team-a    the console of a Primary, which takes commands: do GET /facts
 *   npm run lab -- down              ends the one that was kept
 */
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { build } from './built.ts';
import { remove, temporaryFolder } from './folders.ts';
import { JsonSocket } from './machine/json-socket.ts';
import { paths } from './machine/qemu.ts';
import { primaries } from './primaries.ts';
import { runScenario } from './scenario.ts';
import { scenarioNamed, scenarios } from './scenarios/index.ts';
import { cache, States } from './states.ts';
import { attach } from './terminal.ts';
import { Timeline } from './timeline.ts';

const kept = join(cache, 'kept');
const usage = 'usage: npm run lab [-- run NAME... | keep | shell | primary NAME | down]';
const timeline = new Timeline();

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.on(signal, () => process.exit(1));
const [verb = 'run', ...names] = process.argv.slice(2);
await act().catch((error: Error) => {
  process.stderr.write(`lab: ${error.message}\n`);
  process.exitCode = 1;
});

async function act(): Promise<void> {
  switch (verb) {
    case 'run':
      return run();
    case 'keep':
      return keep();
    case 'shell':
      return inLab((dir) => attach(paths(dir).shell, ''));
    case 'primary':
      return inLab((dir) => attach(paths(dir).shell, `virsh console ${primaryNamed(names[0])}`));
    case 'down':
      return down();
    default:
      throw new Error(usage);
  }
}

async function run(): Promise<void> {
  const quick = scenarios.filter(({ set }) => set === 'quick');
  const chosen = names.length === 0 ? quick : names.map(scenarioNamed);
  const states = new States(build(), timeline);
  for (const scenario of chosen) await runScenario(scenario, states, timeline);
  timeline.chapter('All of it holds. Nothing is left but what is kept in .cache/lab.');
}

async function keep(): Promise<void> {
  if (await isUp()) return timeline.does('it is up already');
  remove(kept);
  const states = new States(build(), timeline);
  mkdirSync(kept, { recursive: true });
  const host = await states.resume('installed', kept, true);
  host.close();
  host.machine.leave();
  timeline.does(
    'it stays: npm run lab -- shell, npm run lab -- primary team-a, npm run lab -- down',
  );
}

/** In the one that is kept, or in one for this time. */
async function inLab(use: (dir: string) => Promise<void>): Promise<void> {
  if (await isUp()) return use(kept);
  const states = new States(build(), timeline);
  const dir = temporaryFolder();
  const host = await states.resume('installed', dir);
  // The agent's socket takes one at a time, and somebody may want it.
  host.close();
  await use(dir);
  await host.machine.end();
  remove(dir);
}

async function down(): Promise<void> {
  if (await isUp()) {
    const monitor = await JsonSocket.connect(paths(kept).monitor);
    await monitor.request('qmp_capabilities');
    await monitor.request('quit');
    monitor.close();
  }
  remove(kept);
  timeline.does('it is gone');
}

async function isUp(): Promise<boolean> {
  const { monitor } = paths(kept);
  if (!existsSync(monitor)) return false;
  try {
    (await JsonSocket.connect(monitor, 500)).close();
    return true;
  } catch {
    return false;
  }
}

function primaryNamed(name = ''): string {
  if (primaries.some((each) => each.name === name)) return name;
  throw new Error(`which Primary: ${primaries.map((each) => each.name).join(' or ')}?`);
}
