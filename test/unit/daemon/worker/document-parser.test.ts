import { describe, expect, test } from 'vitest';
import type { ParsedDocuments } from '../../../../src/daemon/parser.ts';
import { openDocumentParser } from '../../../../src/daemon/worker/document-parser.ts';
import { frameOf } from '../../../../src/daemon/worker/frames.ts';
import { workerLimits } from '../../../../src/daemon/worker/limits.ts';
import { parseMsMax } from '../../../../src/daemon/worker/protocol.ts';
import { HostError } from '../../../../src/host/host-error.ts';
import { noWorkerPlaces, type WorkerPlaces } from '../../../../src/host/worker-places.ts';
import type { PartitionName } from '../../../../src/model/names.ts';
import { virtualTime } from '../../../support/virtual-time.ts';
import { secondaryDocument } from '../../documents/parsing.ts';
import {
  type Behaviour,
  dying,
  fakeWorkers,
  type FakeWorkers,
  hanging,
  honest,
} from './fake-workers.ts';

const never = new AbortController().signal;
const files = [{ path: 'web.yaml', text: secondaryDocument('web') }];
/** When one that reads those counts as one that hangs, once it has started. */
const hungMs = parseMsMax(secondaryDocument('web').length);

function opened(workers: FakeWorkers, places: WorkerPlaces = noWorkerPlaces) {
  const time = virtualTime();
  const parser = openDocumentParser(workers.spawn, places, { ...time, random: () => 0 });
  /** What has been answered so far, by partition, in order. */
  const answers: string[] = [];
  const ask = (partition = 'a', signal = never, given = files): Promise<ParsedDocuments> => {
    const answer = parser.parse(partition as PartitionName, given, signal);
    void answer.then((each) => answers.push(`${partition} ${word(each)}`));
    return answer;
  };
  return { time, parser, ask, answers };
}

function word(answer: ParsedDocuments): string {
  return answer.status === 'failed' ? answer.code : answer.status;
}

/** So long one that was not asked before may take. */
const coldMs = workerLimits.startMsMax + hungMs;

describe('documents', () => {
  test('come back as plain data, or with what is wrong and where', async () => {
    const { ask, time, parser } = opened(fakeWorkers());
    const parsed = ask();
    await time.settle();
    expect(await parsed).toMatchObject({
      status: 'parsed',
      documents: [{ file: 'web.yaml', value: { kind: 'Secondary', spec: { memory: '128MiB' } } }],
    });
    const bad = [{ path: 'x.yaml', text: secondaryDocument('web').replace('vcpus', 'vcpu') }];
    const invalid = ask('a', never, bad);
    await time.settle();
    expect(await invalid).toMatchObject({
      status: 'invalid',
      diagnostics: [
        { code: 'MissingField', line: 6 },
        { code: 'UnknownField', file: 'x.yaml', line: 7, column: 3, excerpt: '  vcpu: 1' },
      ],
    });
    await parser.close();
  });

  test('are judged beside what the operator says of the partition', async () => {
    const { time, parser } = opened(fakeWorkers());
    const networked = [{ path: 'a.yaml', text: secondaryDocument('web', 'network: Partition') }];
    const value = { apiVersion: 'unnest.dev/v1', kind: 'Partition', metadata: { name: 'a' } };
    const operators = { file: 'partition.yaml', value: { ...value, spec: {} } };
    const answer = parser.parse('a' as PartitionName, networked, never, operators);
    await time.settle();
    expect(await answer).toMatchObject({
      status: 'invalid',
      diagnostics: [{ code: 'UnknownReference', file: 'a.yaml', path: 'spec.network' }],
    });
  });

  test('that are too large never reach a worker', async () => {
    const workers = fakeWorkers();
    const { ask } = opened(workers);
    const huge = [{ path: 'x.yaml', text: '#'.repeat(11 * 2 ** 20) }];
    expect(await ask('a', never, huge)).toMatchObject({
      status: 'invalid',
      diagnostics: [{ code: 'TooLarge' }],
    });
    expect(workers.started).toEqual([]);
  });
});

describe('a worker that', () => {
  const answering = (change: (answer: Record<string, unknown>) => unknown): Behaviour => {
    return ({ id }, self) =>
      self.write(
        frameOf(change({ id, status: 'parsed', documents: [{ file: 'web.yaml', value: 1 }] })),
      );
  };
  const diagnostic = {
    code: 'InvalidYaml', file: 'web.yaml', line: 1, column: 1, path: '', message: 'm', remedy: null, excerpt: null,
  }; // prettier-ignore
  const complaining = (change: object, count = 1): Behaviour =>
    answering(({ id }) => ({
      id,
      status: 'invalid',
      diagnostics: Array.from({ length: count }, () => ({ ...diagnostic, ...change })),
    }));
  const raw =
    (bytes: Uint8Array): Behaviour =>
    (_request, self) =>
      self.write(bytes);
  const header = (length: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(length);
    return bytes;
  };

  test.each<[string, Behaviour, string]>([
    ['answers as one does', answering((answer) => answer), 'parsed'],
    ['complains as one does', complaining({}), 'invalid'],
    ['dies', dying, 'Died'],
    ['answers for another request', answering((answer) => ({ ...answer, id: 77 })), 'Forged'],
    ['answers without a status', answering(({ id }) => ({ id })), 'Forged'],
    ['says more than it may', answering((answer) => ({ ...answer, more: 1 })), 'Forged'],
    ['answers with a list', answering(() => []), 'Forged'],
    ['answers with a document of no file', answering((a) => ({ ...a, documents: [{ value: 1 }] })), 'Forged'],
    ['answers with no value', answering((a) => ({ ...a, documents: [{ file: 'web.yaml' }] })), 'Forged'],
    ['invents a file', answering((a) => ({ ...a, documents: [{ file: '/etc/shadow', value: 1 }] })), 'Forged'],
    ['complains of another file', complaining({ file: '/etc/shadow' }), 'Forged'],
    ['complains of nothing', complaining({}, 0), 'Forged'],
    ['complains without end', complaining({}, 201), 'Forged'],
    ['complains at length', complaining({ message: 'x'.repeat(1001) }), 'Forged'],
    ['complains at half a line', complaining({ line: 1.5 }), 'Forged'],
    ['complains before the file', complaining({ line: -1 }), 'Forged'],
    ['complains by a code of its own', complaining({ code: 'Reboot' }), 'Forged'],
    ['answers with no JSON', raw(Buffer.concat([header(4), Buffer.from('nope')])), 'Forged'],
    ['answers with no text', raw(Buffer.concat([header(4), Buffer.from([0x22, 0xff, 0xfe, 0x22])])), 'Forged'],
    ['answers with nothing', raw(header(0)), 'Forged'],
    ['answers deeply', raw(Buffer.concat([header(100), Buffer.from('['.repeat(100))])), 'Forged'],
    ['says that it will say too much', raw(header(40 * 2 ** 20)), 'Oversized'],
    ['says more than the request is worth', raw(header(2 ** 21)), 'Oversized'],
  ])('%s', async (_what, behaviour, expected) => {
    const workers = fakeWorkers(behaviour);
    const { ask, time, answers } = opened(workers);
    void ask();
    await time.settle();
    expect(answers).toEqual([`a ${expected}`]);
    const isKept = ['parsed', 'invalid'].includes(expected);
    expect(workers.alive).toEqual(isKept ? ['a'] : []);
  }); // prettier-ignore

  test('answers twice is not believed a second time', async () => {
    const twice: Behaviour = (request, self) => {
      honest(request, self);
      honest(request, self);
    };
    const workers = fakeWorkers(twice);
    const { ask, time, answers } = opened(workers);
    void ask();
    await time.settle();
    expect(answers).toEqual(['a parsed']);
    expect(workers.alive).toEqual([]);
    // The next question is put to another one, and never meets what the first one said unasked.
    void ask();
    await time.settle();
    expect(workers.started).toEqual(['a', 'a']);
  });

  test('answers twice in one piece is not believed at all', async () => {
    const joined: Behaviour = ({ id }, self) => {
      const frame = frameOf({ id, status: 'parsed', documents: [] });
      self.write(Buffer.concat([frame, frame.subarray(0, 3)]));
    };
    const { ask, time, answers } = opened(fakeWorkers(joined));
    void ask();
    await time.settle();
    expect(answers).toEqual(['a Forged']);
  });

  test('hangs is ended, and costs its own partition one failure', async () => {
    const workers = fakeWorkers((request, self) =>
      request.partition === 'a' ? undefined : honest(request, self),
    );
    const { ask, time, answers } = opened(workers);
    void ask('a');
    void ask('b');
    await time.advance(coldMs - 1);
    expect(answers).toEqual(['b parsed']);
    await time.advance(1);
    expect(answers).toEqual(['b parsed', 'a Hung']);
    expect(workers.alive).toEqual(['b']);
  });

  test('hangs at its second question is given no time to start', async () => {
    const workers = fakeWorkers(honest);
    const { ask, time, answers } = opened(workers);
    await ask();
    workers.behave(hanging);
    void ask();
    await time.advance(hungMs);
    expect(answers).toEqual(['a parsed', 'a Hung']);
  });

  test('drips one byte at a time hangs as well', async () => {
    const workers = fakeWorkers((_request, self) => {
      self.write(header(1000));
      const drip = () => {
        self.write(Buffer.from('['));
        if (self.isAlive) time.timers.after(100, drip);
      };
      drip();
    });
    const { ask, time, answers } = opened(workers);
    void ask();
    await time.advance(coldMs);
    expect(answers).toEqual(['a Hung']);
    expect(workers.alive).toEqual([]);
  });

  test('cannot be killed does not hold its seat for ever', async () => {
    const workers = fakeWorkers(hanging, { immortal: true });
    const { ask, time, answers } = opened(workers);
    for (let i = 0; i < workerLimits.workersMax; i++) void ask(`a${i}`);
    await time.settle();
    void ask('b');
    await time.advance(coldMs);
    expect(answers).toHaveLength(workerLimits.workersMax);
    expect(workers.started).not.toContain('b');
    await time.advance(workerLimits.killGraceMs);
    expect(workers.started).toContain('b');
  });

  test('puts control characters into its words does not reach a terminal', async () => {
    const esc = '\u001b]0;x\u0007 \u202e \u0000 a\tb\r\n';
    const { ask, time } = opened(fakeWorkers(complaining({ message: esc, path: esc, remedy: esc, excerpt: esc })));
    const answer = ask();
    await time.settle();
    const tamed = '\ufffd]0;x\ufffd \ufffd \ufffd a\tb\ufffd\ufffd';
    expect(await answer).toMatchObject({
      diagnostics: [{ message: tamed, path: tamed, remedy: tamed, excerpt: tamed }],
    });
  }); // prettier-ignore

  test('dies says how, on one line', async () => {
    const { ask, time } = opened(fakeWorkers(dying));
    const answer = ask();
    await time.settle();
    expect(await answer).toEqual({
      status: 'failed',
      code: 'Died',
      message: 'the worker ended by SIGKILL: out of \ufffd[31mmemory',
    });
  });

  test('cannot be started says what is missing', async () => {
    const { ask, time } = opened(fakeWorkers(honest, { missing: true }));
    const answer = ask();
    await time.settle();
    expect(await answer).toEqual({
      status: 'failed',
      code: 'Unavailable',
      message: 'apt-get install bubblewrap',
    });
  });
});

describe('after a failure', () => {
  test('the next worker is started when somebody asks, and later each time', async () => {
    const workers = fakeWorkers(dying);
    const { ask, time, answers } = opened(workers);
    void ask();
    await time.advance(100_000);
    expect(workers.started).toHaveLength(1);
    // That wait is over; the next one counts from the next failure.
    void ask();
    await time.settle();
    expect(workers.started).toHaveLength(2);
    void ask();
    await time.advance(499);
    expect(workers.started).toHaveLength(2);
    await time.advance(1);
    expect(workers.started).toHaveLength(3);
    expect(answers).toEqual(['a Died', 'a Died', 'a Died']);
  });

  test('the wait is capped, and forgotten after a success', async () => {
    const workers = fakeWorkers(dying);
    const { ask, time, answers } = opened(workers);
    for (let i = 0; i < 12; i++) {
      void ask();
      await time.advance(workerLimits.backOff.delayMsMax);
    }
    expect(answers).toHaveLength(12);
    workers.behave(honest);
    void ask();
    await time.settle();
    expect(answers.at(-1)).toBe('a parsed');
    workers.behave(dying);
    void ask();
    await time.settle();
    void ask();
    await time.advance(250);
    expect(answers.slice(-2)).toEqual(['a Died', 'a Died']);
  });
});

describe('a warm worker', () => {
  test('is used again, and ends a minute after its last use', async () => {
    const workers = fakeWorkers();
    const { ask, time } = opened(workers);
    void ask();
    await time.advance(59_000);
    void ask();
    await time.advance(59_999);
    expect(workers.alive).toEqual(['a']);
    await time.advance(1);
    expect(workers.alive).toEqual([]);
    expect(workers.started).toEqual(['a']);
  });

  test('that has died in the meantime is replaced', async () => {
    const workers = fakeWorkers();
    const { ask, time, answers } = opened(workers);
    void ask();
    await time.settle();
    workers.last.end();
    await time.settle();
    void ask();
    await time.settle();
    expect(answers).toEqual(['a parsed', 'a parsed']);
    expect(workers.started).toEqual(['a', 'a']);
  });

  test('that has read much, or worked long, is not kept', async () => {
    const workers = fakeWorkers();
    const { ask, time } = opened(workers);
    const text = `${secondaryDocument('web')}# ${'x'.repeat(workerLimits.warmCharactersMax)}\n`;
    void ask('a', never, [{ path: 'web.yaml', text }]);
    await time.settle();
    expect(workers.alive).toEqual([]);
    workers.behave((request, self) => void time.timers.after(8_000, () => honest(request, self)));
    for (let i = 0; i < 4; i++) {
      expect(workers.alive).toEqual(i === 0 ? [] : ['a']);
      void ask();
      await time.advance(8_000);
    }
    expect(workers.alive).toEqual([]);
  });
});

describe('more partitions than workers', () => {
  const most = workerLimits.workersMax;

  test('take the place of the one that was idle longest', async () => {
    const workers = fakeWorkers();
    const { ask, time, answers } = opened(workers);
    for (let i = 0; i < most; i++) {
      void ask(`a${i}`);
      await time.advance(10);
    }
    void ask('a0');
    await time.settle();
    void ask('b');
    await time.settle();
    expect(answers.at(-1)).toBe('b parsed');
    expect(workers.alive).not.toContain('a1');
    expect(workers.alive).toContain('a0');
    expect(workers.aliveMost).toBe(most);
  });

  test('wait while all are at work, in order, and all are answered', async () => {
    const workers = fakeWorkers(hanging);
    const { ask, time, answers } = opened(workers);
    for (let i = 0; i < most; i++) void ask(`hung${i}`);
    await time.settle();
    workers.behave(honest);
    const waiting = Array.from({ length: 2 * most }, (_, i) => `b${i}`);
    for (const partition of waiting) void ask(partition);
    await time.settle();
    expect(answers).toEqual([]);
    await time.advance(coldMs);
    expect(answers.filter((each) => each.startsWith('b'))).toEqual(
      waiting.map((each) => `${each} parsed`),
    );
    expect(workers.aliveMost).toBe(most);
  });

  test('are not kept waiting by one that asks again and again', async () => {
    const workers = fakeWorkers((request, self) =>
      void time.timers.after(1_000, () => honest(request, self)),
    ); // prettier-ignore
    const { ask, time, answers } = opened(workers);
    for (let i = 0; i < most; i++) for (let j = 0; j < 5; j++) void ask(`greedy${i}`);
    await time.settle();
    void ask('b');
    await time.advance(2_000);
    expect(answers).toContain('b parsed');
  });
});

describe('nobody waits any more', () => {
  test('for one at work: it is ended, and that is no failure', async () => {
    const workers = fakeWorkers(hanging);
    const { ask, time, answers } = opened(workers);
    const stop = new AbortController();
    void ask('a', stop.signal);
    await time.settle();
    stop.abort();
    await time.settle();
    expect(answers).toEqual(['a GivenUp']);
    expect(workers.alive).toEqual([]);
    workers.behave(honest);
    void ask();
    await time.settle();
    expect(answers.at(-1)).toBe('a parsed');
  });

  test('for a seat: it is for the next one in the queue', async () => {
    const workers = fakeWorkers(hanging);
    const { ask, time, answers } = opened(workers);
    void ask('a0');
    await time.advance(coldMs / 2);
    for (let i = 1; i < workerLimits.workersMax; i++) void ask(`a${i}`);
    const stop = new AbortController();
    void ask('b', stop.signal);
    await time.settle();
    stop.abort();
    await time.settle();
    expect(answers).toEqual(['b GivenUp']);
    workers.behave(honest);
    void ask('c');
    await time.advance(coldMs / 2);
    expect(answers).toEqual(['b GivenUp', 'a0 Hung', 'c parsed']);
  });

  test('for a wait after a failure to be over', async () => {
    const workers = fakeWorkers(dying);
    const { ask, time, answers } = opened(workers);
    void ask();
    await time.settle();
    const stop = new AbortController();
    void ask('a', stop.signal);
    await time.settle();
    stop.abort();
    await time.settle();
    expect(answers).toEqual(['a Died', 'a GivenUp']);
    expect(workers.started).toEqual(['a']);
  });

  test('because the daemon ends: everything ends, and what comes after is answered', async () => {
    const workers = fakeWorkers();
    const { ask, time, answers, parser } = opened(workers);
    void ask('idle');
    await time.settle();
    workers.behave(hanging);
    void ask('busy');
    void ask('busy');
    await time.settle();
    const closing = parser.close();
    await time.settle();
    await closing;
    expect(workers.alive).toEqual([]);
    void ask('late');
    await time.settle();
    expect(answers).toEqual(['idle parsed', 'busy GivenUp', 'busy GivenUp', 'late GivenUp']);
    expect(workers.started).toEqual(['idle', 'busy']);
  });
});

describe('in the slice of its partition a worker', () => {
  /** Where workers run from now on. */
  const placed = () => {
    const state = { slice: null as string | null, problem: null as string | null };
    const places: WorkerPlaces = {
      find: async () => {
        if (state.problem !== null) throw new HostError('PermissionDenied', state.problem);
        if (state.slice === null) return null;
        const nothing = async () => undefined;
        return { path: state.slice, launcher: null, enter: nothing, left: nothing };
      },
    };
    const workers = fakeWorkers();
    return { state, workers, ...opened(workers, places) };
  };

  test('is started once there is one, in the place of one that was started before', async () => {
    const { state, workers, ask, time, answers } = placed();
    void ask();
    await time.settle();
    expect([workers.started.length, workers.last.slice]).toEqual([1, null]);
    state.slice = '/unnest/p1';
    void ask();
    await time.settle();
    expect([workers.started.length, workers.last.slice]).toEqual([2, '/unnest/p1']);
    void ask();
    await time.settle();
    expect(workers.started).toHaveLength(2);
    expect(workers.alive).toHaveLength(1);
    expect(answers).toEqual(['a parsed', 'a parsed', 'a parsed']);
  });

  test('is not started elsewhere where it is not known whether there is one', async () => {
    const { state, workers, ask, time } = placed();
    state.problem = 'reading installation.id';
    const answer = ask();
    await time.settle();
    expect(await answer).toMatchObject({ code: 'Outside', message: 'reading installation.id' });
    expect(workers.started).toEqual([]);
    // And its seat is another's again.
    state.problem = null;
    workers.behave(hanging);
    for (let i = 0; i < workerLimits.workersMax; i++) void ask(`p${i}`);
    await time.settle();
    expect(workers.started).toHaveLength(workerLimits.workersMax);
  });

  test('is ended for what it is in the way of, and none is started meanwhile', async () => {
    const { state, workers, ask, time, parser, answers } = placed();
    state.slice = '/unnest/p1';
    void ask();
    await time.settle();
    let finish: () => void = () => undefined;
    let aliveMeanwhile: readonly string[] = ['unknown'];
    const removed = parser.without('a' as PartitionName, async () => {
      aliveMeanwhile = workers.alive.filter((name) => name === 'a');
      await new Promise<void>((done) => (finish = done));
      state.slice = null;
      return 'removed';
    });
    void ask();
    void ask('b');
    await time.settle();
    expect([aliveMeanwhile, workers.alive, answers]).toEqual([[], ['b'], ['a parsed', 'b parsed']]);
    finish();
    expect(await removed).toBe('removed');
    await time.settle();
    expect([workers.last.partition, workers.last.slice]).toEqual(['a', null]);
    expect(answers).toEqual(['a parsed', 'b parsed', 'a parsed']);
  });

  test('that reads just then is ended too, and what it was reading is read afterwards', async () => {
    const { state, workers, ask, time, parser, answers } = placed();
    state.slice = '/unnest/p1';
    workers.behave(hanging);
    void ask();
    await time.settle();
    workers.behave(honest);
    const failed = parser.without('a' as PartitionName, async () => {
      throw new Error('busy');
    });
    await expect(failed).rejects.toThrow('busy');
    await time.settle();
    expect(answers).toEqual(['a parsed']);
    expect(workers.started).toEqual(['a', 'a']);
  });

  test('does not keep a slice for longer than the kernel takes to end it', async () => {
    const workers = fakeWorkers(hanging, { immortal: true });
    const { ask, time, parser } = opened(workers);
    void ask();
    await time.settle();
    let isRemoved = false;
    void parser.without('a' as PartitionName, async () => {
      isRemoved = true;
    });
    await time.advance(workerLimits.killGraceMs);
    expect(isRemoved).toBe(true);
    const closed = parser.close();
    await time.advance(workerLimits.killGraceMs);
    await closed;
  });
});
