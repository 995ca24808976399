/** What guests write, kept in files: across rotations, runs, restarts of the daemon, and for those who follow. */
import { beforeEach, describe, expect, test } from 'vitest';
import { consoleLogLimits } from '../../../src/daemon/console-log.ts';
import { ConsoleLogs } from '../../../src/daemon/console-logs.ts';
import type { ConsoleListener, Consoles } from '../../../src/daemon/consoles.ts';
import type { Observed } from '../../../src/model/domain.ts';
import type { SecondaryName } from '../../../src/model/names.ts';
import { settled } from '../../support/virtual-caller.ts';
import { type VirtualRuntime, virtualRuntime } from '../../support/virtual-runtime.ts';

const web = 'web' as SecondaryName;
const folder = '/var/lib/unnest/team-a/consoles';
const { partBytesMax } = consoleLogLimits;

let runtime: VirtualRuntime;
let guest: ConsoleListener | null;
let opened: number;
let logs: ConsoleLogs;
let failures: string[];
beforeEach(() => {
  runtime = virtualRuntime();
  failures = [];
  opened = 0;
  begin();
});

function begin(): void {
  // Border: only what logs use of it.
  const consoles = {
    read: (_ref: unknown, listener: ConsoleListener) => {
      opened += 1;
      guest = listener;
      return () => (guest = null);
    },
  } as unknown as Consoles;
  const { files, timers } = runtime;
  const onFailure = (message: string) => failures.push(message);
  logs = new ConsoleLogs({ files, folder, consoles, timers, onFailure });
}

/** As a look sees it. @param runId null: it does not run */
function looks(runs: Readonly<Record<string, number | null>>, more: Partial<Observed> = {}): void {
  const seen = Object.entries(runs).map(([name, runId]) => {
    const power = { status: runId === null ? 'stopped' : 'running' };
    const live = runId === null ? null : { serialConsole: true };
    const value = { domainName: `unnest.team-a.${name}`, owner: {}, power, live, runId };
    return [name, { status: 'present', value }];
  });
  logs.follow({ domains: new Map(seen as never), unlisted: null, ...more });
}

async function runs(runId: number): Promise<void> {
  looks({ web: runId });
  guest?.onOpen('1-x');
  await settled();
}

async function says(text: string): Promise<void> {
  guest?.onBytes(Buffer.from(text));
  await settled();
}

async function ends(): Promise<void> {
  guest?.onEnd(null);
  looks({ web: null });
  await settled();
}

const names = () => runtime.files.list(folder).then((all) => all.map(({ name }) => name));

async function read(previous = false, follow = false) {
  const heard: string[] = [];
  const stop = logs.of(web).read(previous, follow, {
    onBytes: (bytes) => heard.push(Buffer.from(bytes).toString()),
    onNow: () => heard.push('|'),
    onEnd: (failure) => heard.push(failure ?? '.'),
  });
  await settled();
  return { heard, stop, text: () => heard.join('') };
}

test('what a run has written is kept, also when it has ended', async () => {
  await runs(7);
  await says('boots\n');
  await says('lo');
  await says('gin:');
  expect((await read()).text()).toBe('boots\nlogin:.');
  await ends();
  expect((await read()).text()).toBe('boots\nlogin:.');
  expect((await read(true)).text()).toBe('.');
  expect(await names()).toEqual(['web.000001-7.000001.log']);
});

test('the run before is the previous one, and one before that is gone', async () => {
  for (const [index, runId] of [7, 8, 12].entries()) {
    await runs(runId);
    await says(`run ${index}`);
    await ends();
  }
  expect((await read()).text()).toBe('run 2.');
  expect((await read(true)).text()).toBe('run 1.');
  expect(await names()).toEqual(['web.000002-8.000001.log', 'web.000003-12.000001.log']);
});

test('a guest that is started again at once has its console open at once', async () => {
  await runs(7);
  guest?.onEnd(null);
  looks({ web: 8 });
  expect(opened).toBe(2);
  await runtime.advance(10_000);
  expect(opened).toBe(2);
});

test('one that writes much keeps the last of it, in two parts', async () => {
  await runs(7);
  for (const mark of ['a', 'b', 'c', 'd']) await says(mark.repeat(partBytesMax));
  await says('end');
  const { heard } = await read();
  expect(heard).toHaveLength(3);
  expect(heard[0]).toBe('d'.repeat(partBytesMax));
  expect(heard[1]).toBe('end');
  expect(await names()).toEqual(['web.000001-7.000004.log', 'web.000001-7.000005.log']);
});

test('a disk that is slow or full loses some, and says so', async () => {
  await runs(7);
  // All at once, before any of it is on the disk.
  for (let count = 0; count < 3; count += 1) guest?.onBytes(Buffer.alloc(partBytesMax, 'x'));
  await settled();
  await says('later');
  const text = (await read()).text();
  expect(text).toContain('[unnest: what was written here is not kept]');
  expect(text.length).toBeLessThan(1.1 * partBytesMax);
  expect(text).toMatch(/later\.$/);
});

test('a run goes on where it was when the daemon is another, with a gap', async () => {
  await runs(7);
  await says('before');
  await logs.close();
  begin();
  await runs(7);
  await says('after');
  expect((await read()).text()).toBe(
    'before\r\n[unnest: what was written here is not kept]\r\nafter.',
  );
});

test('a console that somebody has taken is asked for again', async () => {
  await runs(7);
  guest?.onEnd('somebody has it');
  await settled();
  looks({ web: 7 });
  expect(opened).toBe(1);
  await runtime.advance(10_000);
  expect(opened).toBe(2);
  // Not of one that has stopped meanwhile.
  await ends();
  await runtime.advance(20_000);
  expect(opened).toBe(2);
});

describe('who follows', () => {
  test('hears all that is kept, then what comes, once, until the run ends', async () => {
    await runs(7);
    await says('one ');
    // While the files are read.
    let isSaid = false;
    runtime.files.faults.push(({ call }) => {
      if (call === 'read' && !isSaid) guest?.onBytes(Buffer.from('two '));
      isSaid ||= call === 'read';
      return null;
    });
    const { heard, text } = await read(false, true);
    await says('three ');
    expect(text()).toBe('one |two three ');
    expect(heard.filter((each) => each === '|')).toHaveLength(1);
    await ends();
    expect(text()).toMatch(/three \.$/);
  });

  test('hears nothing any more once they stop', async () => {
    await runs(7);
    const { stop, text } = await read(false, true);
    stop();
    await says('more');
    await ends();
    expect(text()).toBe('|');
  });

  test('a run that is over is told whole, and ends', async () => {
    await runs(7);
    await says('one');
    await ends();
    expect((await read(false, true)).text()).toBe('one.');
  });
});

describe('a Secondary that is gone', () => {
  test('takes its log with it', async () => {
    await runs(7);
    await says('secret');
    looks({});
    await settled();
    expect(await names()).toEqual([]);
    expect(guest).toBe(null);
  });

  test('while nobody looked, too; but not one of which nothing is known', async () => {
    await runs(7);
    await says('secret');
    await logs.close();
    begin();
    looks({}, { unlisted: 'libvirt is away' });
    await settled();
    expect(await names()).toHaveLength(1);
    logs.follow({
      domains: new Map([[web, { status: 'unknown', error: 'no answer' } as never]]),
      unlisted: null,
    });
    await settled();
    expect(await names()).toHaveLength(1);
    looks({ db: null });
    await settled();
    begin();
    looks({ db: null });
    await settled();
    expect(await names()).toEqual([]);
  });
});

test('what cannot be written is said once', async () => {
  await runs(7);
  runtime.files.faults.push(({ call }) => (call === 'append' ? 'NoSpace' : null));
  await says('a');
  await says('b');
  expect(failures).toHaveLength(1);
});
