/** A guest's shell on its serial console: typed to on a real terminal, through unnestd and without it. */
import { spawn } from 'node:child_process';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { atTerminal } from '../../support/at-terminal.ts';
import { guestDocument, program, type Ran, run } from '../../support/cli.ts';
import { type DaemonPlace, daemonPlace } from '../../support/daemon.ts';
import { type Heard, heard } from '../../support/heard.ts';
import { until } from '../../support/until.ts';

const partition = 'cli-console';
let place: DaemonPlace;
let env: NodeJS.ProcessEnv;
beforeAll(async () => {
  place = daemonPlace();
  place.describe(partition, 'Apply');
  await place.start();
  env = {
    ...process.env,
    UNNEST_SOCKET: place.at('run/operator.sock'),
    UNNEST_STATE_DIR: place.at('state'),
    UNNEST_PARTITION: partition,
    NO_COLOR: '1',
    TERM: 'xterm',
  };
  const text = guestDocument('web').replace(
    'unnest.name=web',
    'unnest.name=web unnest.do=shell unnest.every=1000',
  );
  const path = place.at('documents.yaml');
  writeFileSync(path, text);
  expect((await unnest('apply', '-f', path, '--timeout', '100')).code).toBe(0);
  // What is typed before its shell is there is typed to nobody.
  await until('its shell is there', kept, (text) => text.includes('# '), patience);
}, 300_000);
afterAll(() => place.dispose());

function unnest(...args: readonly string[]): Promise<Ran> {
  return run(process.execPath, [program, ...args], env);
}

/** Of what it has written to its console. */
const kept = async () => (await unnest('logs', 'web')).stdout;
const patience = { msMax: 100_000, everyMs: 200 };

const sit = (steps: readonly string[], ...args: readonly string[]) =>
  atTerminal(steps, ['console', 'web', ...args], env);
const begins = ['wait:Ctrl-] leaves', 'is:raw'];
const leaves = 'type:\\x1d';
/** What the guest makes of it is not what was typed. */
const asks = ['type:\\r', 'wait:# ', 'type:echo six is $((2*3))\\r', 'wait:six is 6\\r\\n'];
/** unnestd has it open, for its log. */
const host = ['--force', '--host', process.env['LIBVIRT_DEFAULT_URI'] ?? 'qemu:///system'];

describe.each([
  ['through unnestd', []],
  ['of the host itself', host],
] as const)('a shell %s', (_where, how) => {
  test('answers; Ctrl-C is its own, Ctrl-] leaves, and the terminal is as it was', async () => {
    const steps = [
      ...begins,
      ...asks,
      // What is typed before its shell asks again may go with the line that was broken off.
      'type:\\x03',
      'wait:^C',
      'wait:# ',
      'type:echo seven is $((3+4))\\r',
      'wait:seven is 7',
      leaves,
    ];
    expect(await sit(steps, ...how)).toMatchObject({ code: 0, restored: true });
  });

  test('SIGTERM leaves the terminal as it was', async () => {
    const steps = [...begins, ...asks, 'signal:SIGTERM'];
    expect(await sit(steps, ...how)).toMatchObject({ code: 130, restored: true });
  });

  test('is typed to from a pipe, with --write', async () => {
    const piped = `exec "$0" "$@" < <(echo 'echo eight is $((2*4))')`;
    const words = ['-c', piped, process.execPath, program, 'console', 'web', '--write', ...how];
    const typing = heard(spawn('bash', words, { env }));
    await typing.hears(/eight is 8/);
    expect(await typing.end()).toBe(130);
  });
});

/** How often somebody became the one who types, or was refused. */
async function claims(): Promise<number> {
  return (await unnest('audit')).stdout.split('console/writer').length - 1;
}

/** Somebody who only reads, and does so by now. */
async function reader(): Promise<Heard> {
  const reading = heard(
    spawn(process.execPath, [program, 'console', 'web', '--read-only'], { env }),
  );
  const ask = async () => {
    await sit([...begins, 'type:echo read $((1+4))\\r', 'wait:read 5', leaves]);
    return reading.said();
  };
  await until('it reads', ask, (said) => said.includes('read 5'), patience);
  return reading;
}

test('two read what one types; another is told who types, and takes it by force', async () => {
  const reading = await reader();
  const before = await claims();
  const first = sit([
    ...begins,
    ...asks,
    'wait:only reading: uid 0, pid ',
    'type:echo not $((1+1))\\r',
    'wait:nine is 9',
    leaves,
  ]);
  await until('it has the console', claims, (count) => count > before, patience);
  const second = sit([
    'wait:only reading: uid 0, pid ',
    'type:echo refused $((1+1))\\r',
    'sleep:1',
    leaves,
  ]);
  expect(await second).toMatchObject({ code: 0, restored: true });
  const third = sit(
    [...begins, 'type:echo nine is $((4+5))\\r', 'wait:nine is 9', leaves],
    '--force',
  );
  expect(await third).toMatchObject({ code: 0, restored: true });
  const left = await first;
  expect(left).toMatchObject({ code: 0, restored: true });
  expect(left.said).not.toMatch(/not 2|refused 2/);
  await reading.hears(/six is 6/);
  await reading.hears(/nine is 9/);
  expect(await reading.end()).toBe(130);
  const { stdout: audit } = await unnest('audit');
  expect(audit).toContain('secondaries/web/console/writer');
  expect(audit).not.toContain('console/input');
}, 300_000);

test('what it writes is kept, every line of it, for nobody else to read', async () => {
  // Whoever had it by `--force` and the host has left: it is kept again some time later.
  const ask = async () => {
    await sit([...begins, 'type:echo kept $((4+4))\\r', 'wait:kept 8', leaves]);
    return kept();
  };
  const said = await until('it is kept', ask, (text) => text.includes('kept 8'), patience);
  expect(said).toMatch(/unnest-guest web booted/);
  expect(said).toContain('six is 6');
  const many = ['type:seq 1000000 1010000; echo all of $((300+20))\\r', 'wait:all of 320'];
  expect(await sit([...begins, ...asks, ...many, leaves])).toMatchObject({
    code: 0,
    restored: true,
  });
  const all = await until('all is kept', kept, (text) => text.includes('all of 320'), patience);
  expect(all.match(/^1\d{6}$/gm)).toHaveLength(10_001);
  const tail = await unnest('logs', 'web', '--tail', '3');
  expect(tail.stdout).toMatch(/^1010000$/m);
  const files = readdirSync(place.at(`state/${partition}/consoles`));
  expect(statSync(place.at(`state/${partition}/consoles/${files[0]}`)).mode & 0o777).toBe(0o600);
}, 300_000);

test('the guest ends it, and the terminal is as it was', async () => {
  const steps = [...begins, ...asks, 'type:poweroff -f\\r'];
  expect(await sit(steps)).toMatchObject({ code: 0, restored: true });
  // And is started again, as a run of its own.
  const tail = async () => (await unnest('logs', 'web', '--tail', '8')).stdout;
  await until('it runs again', tail, (text) => text.includes('BusyBox'), patience);
  expect(await kept()).toMatch(/unnest-guest web booted/);
  expect((await unnest('logs', 'web', '--previous')).stdout).toContain('all of 320');
}, 300_000);
