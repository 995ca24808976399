/** The commands that ask unnestd, with a fake one behind a real socket. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Condition } from '../../../../src/report/condition.ts';
import { type ApiPlace, apiPlace } from '../../channel/api-place.ts';
import {
  historyEntry,
  partitionStatus,
  secondaryReport,
  teamA,
  web,
} from '../../channel/fake-control.ts';
import { secondaryDocument } from '../../documents/parsing.ts';
import { run, type Surroundings } from '../run.ts';
import { runUntilSeen } from '../time-up.ts';
import { waitFor } from '../../../support/wait-for.ts';

let place: ApiPlace;
let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'unnest-through-'));
  place = await apiPlace();
});
afterEach(async () => {
  await place.dispose();
  rmSync(folder, { recursive: true });
});

const unnest = (argv: readonly string[], surroundings: Surroundings = {}) =>
  run([...argv, '--socket', place.socket], surroundings);
const ofTeamA = (argv: readonly string[], surroundings?: Surroundings) =>
  unnest([...argv, '-p', teamA], surroundings);
const submitter = 'uid 1000, pid 4242';
const paused: Condition = {
  type: 'Paused',
  status: 'True',
  reason: 'Held',
  message: 'paused by uid 0: \u001b[2Jbackup',
  since: '2026-01-01T00:00:00.000Z',
  generation: 6,
};

describe('which way a command goes', () => {
  const simulated = () => `sim:${join(folder, 'host.json')}`;

  test('to the host with --host or UNNEST_HOST, through the daemon with --socket', async () => {
    const variables = { UNNEST_HOST: simulated(), UNNEST_SOCKET: place.socket };
    const direct = await run(['get', '-p', teamA], { variables });
    expect(direct.stderr).toBe('No Secondaries in partition team-a.\n');
    const flagged = await run(['get', '-p', teamA, '--host', simulated()], {
      variables: { UNNEST_SOCKET: place.socket },
    });
    expect(flagged.stderr).toBe('No Secondaries in partition team-a.\n');
    expect((await ofTeamA(['get'], { variables })).stdout).toContain('HEALTH');
    const set = await run(['get', '-p', teamA], { variables: { UNNEST_SOCKET: place.socket } });
    expect(set.stdout).toContain('HEALTH');
  });

  test('not both', async () => {
    const { code, stderr } = await ofTeamA(['get', '--host', simulated()]);
    expect(code).toBe(64);
    expect(stderr).toContain('both --host and --socket were given');
  });

  test('nowhere where somebody names a socket and nobody is there', async () => {
    const socket = join(folder, 'none.sock');
    for (const argv of [['get'], ['status'], ['apply', '-f', '-'], ['wait', 'web'], ['retry']]) {
      const { code, stderr } = await run([...argv, '--socket', socket]);
      expect(code).toBe(5);
      expect(stderr).toBe(
        `error: unnestd does not run here: there is no ${socket}
  \`systemctl start unnestd\` starts it, in a Primary \`systemctl start unnest-agent\`; \`unnest plan\`, \`apply\`, \`get\` and \`destroy\` work without it: --host qemu:///system
`,
      );
    }
  });

  test('nowhere where the socket is there and the daemon is not', async () => {
    await place.close();
    const { code, stderr } = await unnest(['status']);
    expect(code).toBe(5);
    expect(stderr).toMatch(/systemctl start unnestd/);
  });
});

describe('unnest status', () => {
  test('of all partitions, in a table', async () => {
    place.set(partitionStatus({ conditions: [paused], generation: 0 }));
    expect(await unnest(['status'])).toEqual({
      code: 0,
      stderr: '',
      stdout: `PARTITION   GENERATION   SYNC     HEALTH    SECONDARIES   VCPUS   MEMORY   NOTE
team-a      -            Synced   Healthy   1             2       512MiB   Paused (Held)
vCPUs promised: 4 of 24 (16, times 1.5)
memory promised: 8GiB of 32GiB (32GiB, times 1)
`,
    });
  });

  test('of one, with all that there is to say', async () => {
    const lastPass = {
      at: '2026-01-01T00:00:05.000Z',
      because: ['documents'],
      durationMs: 1200,
      applied: 2,
      already: 0,
      failed: 1,
      skipped: 1,
      cancelled: 0,
      failures: ['domain.start/web: Refused: \u001b[1mno'],
    };
    const secondaries = [secondaryReport({ conditions: [paused] })];
    const nextTryAt = '2026-01-01T00:00:09.000Z';
    place.set(partitionStatus({ conditions: [paused], lastPass, nextTryAt, secondaries }));
    const { stdout } = await ofTeamA(['status']);
    expect(stdout).toBe(`team-a: Synced, Healthy
  documents   generation 6 (sha256:666666666666)
  secondaries 1 Running
  uses        2 vCPU and 512MiB running, 0 B of storage
  last pass   2026-01-01T00:00:05.000Z: 2 done, 1 failed, 1 skipped in 1.2 s, because of documents
    domain.start/web: Refused: \\u001b[1mno
  next try    2026-01-01T00:00:09.000Z
  Paused          True    Held: paused by uid 0: \\u001b[2Jbackup (since 2026-01-01T00:00:00.000Z)
  web:
    Paused          True    Held: paused by uid 0: \\u001b[2Jbackup (since 2026-01-01T00:00:00.000Z)
`);
  });

  test('as the API has it', async () => {
    expect(JSON.parse((await ofTeamA(['status', '-o', 'json'])).stdout)).toEqual(partitionStatus());
    expect(JSON.parse((await unnest(['status', '-o', 'json'])).stdout)).toEqual({
      items: [partitionStatus()],
      problems: [],
      partitionsDir: '/etc/unnest/partitions',
      promised: place.sum,
    });
    const { code, stderr } = await unnest(['status', '-p', 'team-b']);
    expect(code).toBe(64);
    expect(stderr).toContain('the operator has described no partition team-b on this host');
  });

  test('tells mistakes in the partitions’ folder, and which one a partition is missing for', async () => {
    place.problems = [{ file: 'team-b.yaml', code: 'UnknownField', message: 'no \u001b[2Jspecs' }];
    const words = 'team-b.yaml: UnknownField: no \\u001b[2Jspecs\n';
    const all = await unnest(['status']);
    expect(all.code).toBe(3);
    expect(all.stdout).toMatch(/^PARTITION .*\nteam-a .*\n/);
    expect(all.stdout).toContain(`\npartitions' folder: ${words}`);
    const json = await unnest(['status', '-o', 'json']);
    expect(json.code).toBe(3);
    expect(JSON.parse(json.stdout)).toMatchObject({ problems: place.problems });
    const one = await unnest(['status', '-p', 'team-b']);
    expect(one.code).toBe(64);
    expect(one.stderr).toContain(`no partition team-b on this host: ${words}`);
    expect((await ofTeamA(['status'])).code).toBe(0);
  });

  test('says which folder a Partition document goes to where there is none', async () => {
    place.forget(teamA);
    const none =
      'unnestd looks after no partition yet: a Partition document goes to /etc/unnest/partitions/NAME.yaml.\n';
    expect(await unnest(['status'])).toEqual({ code: 0, stdout: none, stderr: '' });
    place.problems = [{ file: '', code: 'X', message: 'y' }];
    const { code, stdout } = await unnest(['status']);
    expect({ code, stdout }).toEqual({
      code: 3,
      stdout: `${none}partitions' folder: X: y\n`,
    });
  });
});

describe('unnest get', () => {
  test('has the daemon’s words, and those that both ways have', async () => {
    place.set(partitionStatus({ secondaries: [secondaryReport({ conditions: [paused] })] }));
    expect((await ofTeamA(['get'])).stdout)
      .toBe(`NAME   STATUS    SYNC     HEALTH    VCPUS   MEMORY   NOTE
web    Running   Synced   Healthy   2       512MiB   Paused: paused by uid 0: \\u001b[2Jbackup
`);
    expect((await ofTeamA(['get', '-o', 'wide'])).stdout).toContain('10.20.0.2');
    const says = (type: Condition['type'], status: Condition['status'], message: string) => ({
      ...paused,
      type,
      status,
      message,
      reason: type === 'Blocked' ? 'NameTaken' : type,
    });
    const note = async (...conditions: readonly Condition[]) => {
      place.set(partitionStatus({ secondaries: [secondaryReport({ conditions })] }));
      const { stdout } = await ofTeamA(['get', '-o', 'wide']);
      return stdout.trimEnd().split(/ {3,}/).at(-1);
    };
    const outOfSync = says('Synced', 'False', 'update: document-changed');
    const waits = says('RestartRequired', 'True', 'spec.vcpus');
    expect(await note(outOfSync, waits)).toBe(
      'update: document-changed; RestartRequired: spec.vcpus',
    );
    const blocked = says('Blocked', 'True', 'foreign');
    expect(await note(says('Synced', 'False', 'foreign'), blocked)).toBe('NameTaken: foreign');
    place.set(partitionStatus());
    const { items } = JSON.parse((await ofTeamA(['get', '-o', 'json'])).stdout) as {
      items: object[];
    };
    expect(items).toMatchObject([
      { name: 'web', status: 'Running', labels: { app: 'web' }, address: '10.20.0.2' },
    ]);
    expect((await ofTeamA(['get', '-l', 'app=db', '-o', 'name'])).stdout).toBe('');
    expect((await ofTeamA(['get', 'db'])).code).toBe(64);
    const unknown = partitionStatus({ secondaries: [secondaryReport({ status: 'Unknown' })] });
    place.set(unknown);
    expect((await ofTeamA(['get'])).code).toBe(3);
  });

  test.each([
    [
      'table',
      `NAME   STATUS    SYNC     HEALTH    VCPUS   MEMORY   NOTE
web    Running   Synced   Healthy   2       512MiB
db     Stopped   Synced   Healthy   2       512MiB
web   Gone
`,
    ],
    ['name', 'web\ndb\nweb   Gone\n'],
  ])('-w -o %s prints what changes, and what is gone', async (output, expected) => {
    const stop = new AbortController();
    const watching = ofTeamA(['get', '-w', '-o', output], {
      stop: stop.signal,
      onOutput: (text) => {
        if (text.includes('Gone')) stop.abort();
      },
    });
    await waitFor(() => expect(place.listeners()).toBe(2));
    place.set(partitionStatus({ generation: 9 }));
    const db = secondaryReport({ name: 'db' as never, status: 'Stopped' });
    place.set(partitionStatus({ secondaries: [db] }));
    expect(await watching).toEqual({ code: 130, stderr: '', stdout: expected });
  });

  test('-w without a daemon looks again and again', async () => {
    const host = ['--host', `sim:${join(folder, 'host.json')}`, '-p', teamA];
    await run(['apply', '-f', '-', ...host], { stdin: secondaryDocument('web') });
    const stop = new AbortController();
    let seen = () => {};
    const first = new Promise<void>((done) => (seen = done));
    const watching = run(['get', '-w', '-o', 'json', ...host], {
      stop: stop.signal,
      onOutput: (text) => {
        seen();
        if (text.includes('Gone')) stop.abort();
      },
    });
    await first;
    await run(['destroy', 'web', '--yes', ...host]);
    const { code, stdout } = await watching;
    expect(code).toBe(130);
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines[0]).toMatchObject({ name: 'web', status: 'Running' });
    expect(lines.at(-1)).toEqual({ name: 'web', status: 'Gone' });
  });

  test('-w is not for everything', async () => {
    expect((await ofTeamA(['get', '-w', '-o', 'yaml'])).code).toBe(64);
    expect((await ofTeamA(['get', '-w', '--kind', 'volumes'])).code).toBe(64);
  });
});

describe('unnest wait', () => {
  const ready: Condition = { ...paused, type: 'Ready', reason: 'Running', message: '' };
  const awaits: Condition = {
    ...ready,
    status: 'False',
    reason: 'AwaitsHeartbeat',
    message: 'it waits for its heartbeat',
  };
  const lastPass = {
    at: '2026-01-02T00:00:00.000Z',
    because: [],
    durationMs: 1,
    applied: 0,
    already: 0,
    failed: 0,
    skipped: 0,
    cancelled: 0,
    failures: [],
  };
  const answers: Condition = { ...ready, type: 'HostReachable', reason: 'Answers' };
  const lost: Condition = {
    ...answers,
    status: 'False',
    reason: 'NoAnswer',
    message: 'it is down',
  };
  const untilSeen = async (argv: readonly string[]) => {
    const ran = await runUntilSeen([...argv, '-p', teamA], place.socket);
    // Or it is taken for whoever looks next.
    await waitFor(() => expect(place.listeners()).toBe(0));
    return ran;
  };
  const web_ = (more: Parameters<typeof secondaryReport>[0]) =>
    place.set(partitionStatus({ lastPass, secondaries: [secondaryReport(more)] }));

  test.each([
    ['ready', { conditions: [] }, { conditions: [ready] }, 'web is Running'],
    [
      'ready',
      { status: 'Starting', conditions: [awaits] },
      { conditions: [ready] },
      'web is Starting: it waits for its heartbeat',
    ],
    ['running', { status: 'Stopped' }, { status: 'Starting' }, 'web is Stopped'],
    ['stopped', { status: 'Running' }, { status: 'Stopped' }, 'web is Running'],
    ['synced', { sync: 'OutOfSync' }, { sync: 'Synced' }, 'web is OutOfSync'],
  ] as const)(
    '--for %s ends when it is so, and says what is so if not',
    async (goal, no, yes, now) => {
      web_(no);
      const soon = await untilSeen(['wait', 'web', '--for', goal]);
      expect(soon.code).toBe(6);
      expect(soon.stderr).toContain(`while waiting for web ${goal}: ${now}\n`);
      expect(soon.stderr.includes('unnestd goes on with it')).toBe(goal === 'synced');
      const waiting = ofTeamA(['wait', 'web', '--for', goal]);
      await waitFor(() => expect(place.listeners()).toBe(2));
      web_(yes);
      expect(await waiting).toEqual({ code: 0, stdout: '', stderr: '' });
    },
  );

  test('--for synced without names means everything, as looked at under what is in force', async () => {
    place.set(partitionStatus({ observedGeneration: 5 }));
    const early = await untilSeen(['wait', '--for', 'synced']);
    expect(early.stderr).toContain('unnestd has not looked at generation 6 yet');
    place.set(partitionStatus({ lastPass, sync: 'Unknown', secondaries: [] }));
    const unknown = await untilSeen(['wait', '--for', 'synced']);
    expect(unknown.stderr).toContain('while waiting for partition team-a synced: it was not');
    place.set(partitionStatus({ lastPass }));
    expect((await ofTeamA(['wait', '--for', 'synced'])).code).toBe(0);
  });

  test('--for deleted ends when there is none of the name', async () => {
    web_({});
    const waiting = ofTeamA(['wait', 'web', '--for', 'deleted']);
    await waitFor(() => expect(place.listeners()).toBe(2));
    // It is not in the status of a host that nobody could look at, either.
    place.set(partitionStatus({ lastPass, secondaries: [], sync: 'Unknown', conditions: [lost] }));
    let isOver = false;
    void waiting.then(() => (isOver = true));
    await new Promise((done) => setTimeout(done, 50));
    expect(isOver).toBe(false);
    place.set(partitionStatus({ lastPass, secondaries: [], conditions: [answers] }));
    expect((await waiting).code).toBe(0);
  });

  test.each(['ready', 'running', 'stopped', 'deleted', 'synced'])(
    '--for %s is not so where nobody has looked at any documents',
    async (goal) => {
      const control = place.control as { accepted: typeof place.control.accepted };
      control.accepted = () => null;
      place.set(
        partitionStatus({ generation: 0, observedGeneration: 0, secondaries: [], sync: 'Unknown' }),
      );
      const { code, stderr } = await untilSeen(['wait', '--for', goal]);
      expect({ code, goal }).toEqual({ code: 6, goal });
      expect(stderr).toContain('no documents were looked at yet');
    },
  );

  test('of a partition that has no documents there is nothing to wait for', async () => {
    const control = place.control as { accepted: typeof place.control.accepted };
    control.accepted = () => null;
    const nothing = { ...lost, type: 'Accepted', reason: 'NothingYet' } as const;
    const conditions = [nothing];
    place.set(
      partitionStatus({ generation: 0, observedGeneration: 0, secondaries: [], conditions }),
    );
    const { code, stderr } = await ofTeamA(['wait', 'web', '--for', 'deleted']);
    expect(code).toBe(64);
    expect(stderr).toContain('partition team-a has no documents in force');
  });

  test('--for synced names documents that are not read', async () => {
    const conditions: Condition[] = [
      answers,
      { ...lost, type: 'DocumentsValid', reason: 'Invalid', message: 'web.yaml:1: no YAML' },
    ];
    place.set(partitionStatus({ lastPass, sync: 'Blocked', conditions }));
    const { stderr } = await untilSeen(['wait', '--for', 'synced']);
    expect(stderr).toContain('partition team-a synced: Invalid: web.yaml:1: no YAML\n');
  });

  test.each(['ready', 'running', 'stopped', 'synced'])(
    '--for %s ends at once for a name that is neither wanted nor there',
    async (goal) => {
      web_({});
      const { code, stderr } = await ofTeamA(['wait', 'web', 'wbe', '--for', goal]);
      expect({ code, stderr }).toEqual({
        code: 64,
        stderr: 'error: partition team-a has no Secondary wbe\n  did you mean web?\n',
      });
    },
  );

  test('a name that nobody could look for yet is waited for', async () => {
    const soon = ['wait', 'db'];
    place.set(partitionStatus({ observedGeneration: 5 }));
    expect((await untilSeen(soon)).stderr).toContain('has not looked at generation 6 yet');
    place.set(partitionStatus({ sync: 'Unknown', secondaries: [] }));
    const unknown = await untilSeen(soon);
    expect(unknown.code).toBe(6);
    expect(unknown.stderr).toContain('db is not there\n  unnestd goes on with it');
  });
});

describe('unnest events', () => {
  beforeEach(() => {
    place.say({ kind: 'daemon-started', version: '1' });
    place.say({ kind: 'partition-added', partition: teamA });
  });

  test('prints those that are kept, all or of a partition, from a number on', async () => {
    expect((await unnest(['events'])).stdout.split('\n')).toHaveLength(3);
    expect((await unnest(['events', '--after', '1'])).stdout).toBe(
      '2026-01-01 00:00:10  team-a        the partition is looked after from now on\n',
    );
    const lines = (await ofTeamA(['events', '-o', 'json'])).stdout.trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { seq: number }).seq)).toEqual([1, 2]);
    expect((await unnest(['events', '--after', '9'])).stderr).toContain('started anew');
  });

  test('-w goes on until somebody has seen enough', async () => {
    const stop = new AbortController();
    const watching = unnest(['events', '-w'], {
      stop: stop.signal,
      onOutput: (text) => {
        if (text.includes('answers again')) stop.abort();
      },
    });
    await waitFor(() => expect(place.listeners()).toBe(1));
    place.say({ kind: 'host-back' });
    expect(await watching).toMatchObject({ code: 130, stderr: '' });
  });
});

describe('orders', () => {
  test('pause and resume, one or all, for a time', async () => {
    const argv = ['pause', 'web', '--reason', 'backup', '--for', '2h'];
    expect((await ofTeamA(argv)).stdout).toBe('taken down\n');
    expect((await ofTeamA(['pause', '--reason', 'move'])).stdout).toBe('taken down\n');
    await ofTeamA(['resume', 'web']);
    await ofTeamA(['resume']);
    await ofTeamA(['retry']);
    const expiresAt = '2026-01-01T02:00:00.000Z';
    expect(place.calls.map(({ method, args }) => [method, ...args.slice(1)])).toEqual([
      ['pause', { secondary: web, reason: 'backup', submitter, expiresAt }],
      ['pause', { secondary: null, reason: 'move', submitter, expiresAt: null }],
      ['resume', web, submitter],
      ['resume', null, submitter],
      ['retry', submitter],
    ]);
  });

  test.each([
    [['pause', 'web'], "required option '--reason <text>' not specified"],
    [['pause', 'web', '--reason', 'x', '--for', '90'], 'such as 30m'],
    [['pause', 'Web', '--reason', 'x'], '"Web" is not the name of a Secondary'],
    [['start'], "missing required argument 'name'"],
    [['stop', '../x'], 'is not the name of a Secondary'],
    [['rollback', '--to', '0'], 'expected the number of a generation'],
  ])('%j is refused before anything is asked', async (argv, message) => {
    const { code, stderr } = await ofTeamA(argv);
    expect(code).toBe(64);
    expect(stderr).toContain(message);
    expect(place.calls).toEqual([]);
  });

  test.each(['start', 'stop', 'restart'])(
    '%s each one, whatever the others say',
    async (action) => {
      expect((await ofTeamA([action, 'web', 'db'])).stdout).toBe('taken down\ntaken down\n');
      const key: unknown = { key: expect.any(String), party: 'uid 1000' };
      expect(place.calls).toEqual([
        { method: 'power', args: [teamA, 'web', action, submitter, key] },
        { method: 'power', args: [teamA, 'db', action, submitter, key] },
      ]);
      let asked = 0;
      place.answer = async () =>
        (asked += 1) === 1
          ? { status: 'refused', code: 'RunPolicy', message: 'web: it is \u001b[1mAlways' }
          : { status: 'ok', message: 'taken down' };
      const mixed = await ofTeamA([action, 'web', 'db']);
      expect(mixed).toEqual({
        code: 3,
        stdout: 'taken down\n',
        stderr: 'error: web: it is \\u001b[1mAlways\n',
      });
    },
  );

  test.each([
    ['pause', 'nosuch', '--reason', 'x'],
    ['resume', 'nosuch'],
  ])(
    '%s of a Secondary that there is none of says how to find those there are',
    async (...argv) => {
      const message = 'partition team-a has no Secondary nosuch';
      place.answer = { status: 'refused', code: 'NoSuchSecondary', message };
      expect(await ofTeamA(argv)).toEqual({
        code: 64,
        stdout: '',
        stderr: `error: ${message}\n  \`unnest get\` lists those that there are\n`,
      });
    },
  );

  test('drain asks, and names the partition to the daemon', async () => {
    expect((await ofTeamA(['drain'])).stderr).toContain(
      'this empties partition team-a, which has 1 Secondaries, and there is nobody to ask',
    );
    expect((await ofTeamA(['drain'], { answer: 'no' })).code).toBe(130);
    expect(place.calls).toEqual([]);
    expect((await ofTeamA(['drain'], { answer: 'yes' })).code).toBe(0);
    expect((await ofTeamA(['drain', '--yes'])).code).toBe(0);
    expect(place.calls).toHaveLength(2);
  });
});

describe('generations', () => {
  test('history lists them, the one in force first', async () => {
    const { stdout } = await ofTeamA(['history']);
    expect(stdout.split('\n').map((line) => line.split(/ {3,}/)[0])).toEqual([
      'GENERATION',
      '6',
      '5',
      '',
    ]);
    expect(stdout).toContain('in force');
    const { items } = JSON.parse((await ofTeamA(['history', '-o', 'json'])).stdout) as {
      items: { generation: number }[];
    };
    expect(items.map(({ generation }) => generation)).toEqual([5, 6]);
  });

  test('rollback asks, and brings back the one before, or the one that is named', async () => {
    const now = ['rollback', '--no-wait'];
    expect((await ofTeamA(now)).code).toBe(64);
    expect((await ofTeamA(now, { answer: 'y' })).stdout).toContain('accepted generation 7');
    expect((await ofTeamA([...now, '--yes', '--to', '3'])).code).toBe(0);
    expect(place.calls).toEqual([
      { method: 'rollback', args: [teamA, { generation: 5, ifGeneration: 6 }, submitter] },
      { method: 'rollback', args: [teamA, { generation: 3, ifGeneration: null }, submitter] },
    ]);
  });

  test('rollback puts nothing out of force that was accepted while it was asked about', async () => {
    const [five, six] = place.kept;
    const message = 'generation 7 is in force, not 6';
    const answer = async () => {
      place.kept = [five!, six!, historyEntry(7)];
      place.result = { status: 'refused', code: 'NotInForce', message, diagnostics: [] };
      return 'y';
    };
    const { code, stderr } = await ofTeamA(['rollback', '--no-wait'], { answer });
    expect(code).toBe(7);
    expect(stderr).toContain(message);
    // What is asked for is held against what was in force when it was agreed to.
    expect(place.calls.map(({ args }) => args[1])).toEqual([{ generation: 5, ifGeneration: 6 }]);
  });

  test('rollback passes over those that are in force again already', async () => {
    const [five, six] = place.kept;
    const { digest } = five!;
    place.kept = [five!, six!, historyEntry(7, { digest, rollbackOf: 5 })];
    await ofTeamA(['rollback', '--no-wait', '--yes']);
    place.kept = [five!, historyEntry(6, { digest }), historyEntry(7, { digest })];
    expect((await ofTeamA(['rollback', '--no-wait', '--yes'])).stderr).toContain('no earlier');
    place.kept = [six!, historyEntry(7, { digest }), historyEntry(8, { digest })];
    await ofTeamA(['rollback', '--no-wait', '--yes']);
    expect(place.calls.map(({ args }) => args[1])).toEqual([
      { generation: 6, ifGeneration: null },
      { generation: 6, ifGeneration: null },
    ]);
  });
});

test('describe adds what the daemon knows, and does without it', async () => {
  const variables = { UNNEST_HOST: `sim:${join(folder, 'host.json')}` };
  const stdin = secondaryDocument('web');
  await run(['apply', '-f', '-', '-p', teamA], { stdin, variables });
  place.set(partitionStatus({ secondaries: [secondaryReport({ conditions: [paused] })] }));
  const through = await ofTeamA(['describe', 'web'], { variables });
  expect(through).toMatchObject({ code: 0, stderr: '' });
  expect(through.stdout).toContain('  conditions, as unnestd says:\n    Paused          True');
  expect((await run(['describe', 'web', '-p', teamA], { variables })).stdout).not.toContain(
    'unnestd',
  );
  await place.close();
  const without = await ofTeamA(['describe', 'web'], { variables });
  expect(without.code).toBe(0);
  expect(without.stderr).toContain('unnestd');
});
