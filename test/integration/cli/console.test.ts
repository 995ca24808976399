/** A guest's shell on its serial console: typed to on a real terminal, through unnestd and without it. */
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { atTerminal } from '../../support/at-terminal.ts';
import { guestDocument, program, type Ran, run } from '../../support/cli.ts';
import { type DaemonPlace, daemonPlace } from '../../support/daemon.ts';
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
  expect((await unnest('apply', '-f', path, '--timeout', '60')).code).toBe(0);
  // What is typed before its shell is there is typed to nobody.
  const said = async () => (await unnest('logs', 'web')).stdout;
  await until('its shell is there', said, (text) => text.includes('# '));
}, 120_000);
afterAll(() => place.dispose());

function unnest(...args: readonly string[]): Promise<Ran> {
  return run(process.execPath, [program, ...args], env);
}

const sit = (steps: readonly string[], ...args: readonly string[]) =>
  atTerminal(steps, ['console', 'web', ...args], env);
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
      'wait:Ctrl-] leaves',
      'sleep:0.3',
      'is:raw',
      ...asks,
      // What is typed before its shell asks again may go with the line that was broken off.
      'type:\\x03',
      'wait:^C',
      'wait:# ',
      'type:echo seven is $((3+4))\\r',
      'wait:seven is 7',
      'type:\\x1d',
    ];
    expect(await sit(steps, ...how)).toMatchObject({ code: 0, restored: true });
  });

  test('SIGTERM leaves the terminal as it was', async () => {
    const steps = ['wait:Ctrl-] leaves', ...asks, 'is:raw', 'signal:SIGTERM'];
    expect(await sit(steps, ...how)).toMatchObject({ code: 130, restored: true });
  });

  test('is typed to from a pipe, with --write', async () => {
    const line = 'echo eight is $((2*4))\\n';
    const piped = `printf '${line}' | "$0" "$@"`;
    const words = ['console', 'web', '--write', '--timeout', '4', ...how];
    const ran = await run('sh', ['-c', piped, process.execPath, program, ...words], env);
    expect(ran.stdout).toContain('eight is 8');
    expect(ran.code).toBe(6);
  });
});

/** How often somebody became the one who types, or was refused. */
async function claims(): Promise<number> {
  return (await unnest('audit')).stdout.split('console/writer').length - 1;
}

test('two read what one types; another is told who types, and takes it by force', async () => {
  const before = await claims();
  const reading = unnest('console', 'web', '--lines', '200', '--timeout', '12');
  const first = sit([
    'wait:Ctrl-] leaves',
    ...asks,
    'wait:only reading: uid 0, pid ',
    'type:echo not $((1+1))\\r',
    'wait:nine is 9',
    'type:\\x1d',
  ]);
  await expect.poll(claims, { timeout: 30_000 }).toBeGreaterThan(before);
  const second = sit([
    'wait:only reading: uid 0, pid ',
    'type:echo refused $((1+1))\\r',
    'sleep:1',
    'type:\\x1d',
  ]);
  expect(await second).toMatchObject({ code: 0, restored: true });
  const third = sit(
    [
      'wait:Ctrl-] leaves',
      'sleep:0.3',
      'type:echo nine is $((4+5))\\r',
      'wait:nine is 9',
      'type:\\x1d',
    ],
    '--force',
  );
  expect(await third).toMatchObject({ code: 0, restored: true });
  const left = await first;
  expect(left).toMatchObject({ code: 0, restored: true });
  expect(left.said).not.toMatch(/not 2|refused 2/);
  const { stdout } = await reading;
  expect(stdout).toContain('six is 6');
  expect(stdout).toContain('nine is 9');
  const { stdout: audit } = await unnest('audit');
  expect(audit).toContain('secondaries/web/console/writer');
  expect(audit).not.toContain('console/input');
});

test('what it writes is kept, every line of it, for nobody else to read', async () => {
  const said = (await unnest('logs', 'web')).stdout;
  expect(said).toMatch(/unnest-guest web booted/);
  expect(said).toContain('six is 6');
  const steps = ['wait:Ctrl-] leaves', ...asks];
  const many = ['type:seq 1000000 1010000; echo all of $((300+20))\\r', 'wait:all of 320'];
  expect(await sit([...steps, ...many, 'type:\\x1d'])).toMatchObject({ code: 0, restored: true });
  const tail = await unnest('logs', 'web', '--tail', '3');
  expect(tail.stdout).toMatch(/^1010000$/m);
  const counted = (await unnest('logs', 'web')).stdout.match(/^1\d{6}$/gm);
  expect(counted).toHaveLength(10_001);
  const files = readdirSync(place.at(`state/${partition}/consoles`));
  expect(statSync(place.at(`state/${partition}/consoles/${files[0]}`)).mode & 0o777).toBe(0o600);
});

test('the guest ends it, and the terminal is as it was', async () => {
  const steps = ['wait:Ctrl-] leaves', ...asks, 'type:poweroff -f\\r'];
  expect(await sit(steps)).toMatchObject({ code: 0, restored: true });
  // And is started again, as a run of its own.
  await expect
    .poll(async () => (await unnest('logs', 'web', '--tail', '8')).stdout, { timeout: 60_000 })
    .toContain('BusyBox');
  expect((await unnest('logs', 'web')).stdout).toMatch(/unnest-guest web booted/);
  expect((await unnest('logs', 'web', '--previous')).stdout).toContain('all of 320');
});
