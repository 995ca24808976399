/** `unnest upload` and `unnest hand-over`, as whoever runs them in a Primary sees them. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { daemonClient } from '../../../src/channel/client.ts';
import { unixTransport } from '../../../src/channel/client-transport.ts';
import type { ImageState } from '../../../src/channel/control.ts';
import { exitCodes } from '../../../src/cli/exit-codes.ts';
import { channelLimits } from '../../../src/channel/limits.ts';
import type { ImageName } from '../../../src/model/names.ts';
import type { ImagePhase, PassReport } from '../../../src/report/partition-status.ts';
import { type ApiPlace, apiPlace } from '../channel/api-place.ts';
import { partitionStatus, teamA } from '../channel/fake-control.ts';
import { waitFor } from '../../support/wait-for.ts';
import { run } from './run.ts';
import { runUntilSeen } from './time-up.ts';

const content = randomBytes(channelLimits.uploadBytesMax + 1000);
let folder: string;
let file: string;
let place: ApiPlace;
/** As the host has them. */
let received: Buffer;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'unnest-hand-in-'));
  file = join(folder, 'debian.img');
  writeFileSync(file, content);
  place = await apiPlace();
  received = Buffer.alloc(0);
  imageIs({});
  const control = place.control as { upload: typeof place.control.upload };
  control.upload = async (_partition, _image, atByte, bytes) => {
    if (atByte > 0 && atByte !== received.length) {
      return { status: 'refused', code: 'NotTaken', message: 'not next' };
    }
    received = Buffer.concat([received.subarray(0, atByte), bytes]);
    if (received.length === content.length) passed('Ready');
    return { status: 'ok', receivedBytes: received.length, sizeBytes: content.length };
  };
});
afterEach(async () => {
  await place.dispose();
  rmSync(folder, { recursive: true });
});

function imageIs(more: Partial<ImageState>): void {
  place.image = {
    status: 'ok',
    image: {
      name: 'debian' as ImageName,
      phase: 'Pending',
      message: '',
      source: 'upload',
      sizeBytes: content.length,
      receivedBytes: 0,
      serial: null,
      handedOver: null,
      ...more,
    },
  };
}

function passed(phase: ImagePhase, message = '', at = 'later'): void {
  const counts = { applied: 0, already: 0, failed: 0, skipped: 0, cancelled: 0 };
  const lastPass: PassReport = { at, because: [], durationMs: 1, failures: [], ...counts };
  const resources = [{ kind: 'image', name: 'debian', sync: 'Synced', message, phase }] as const;
  place.set(partitionStatus({ lastPass, resources }));
}

/** What is said from now on, it hears. */
const looksOn = () => waitFor(() => expect(place.listeners()).toBe(2));

const unnest = (...argv: readonly string[]) =>
  run([...argv, '-p', teamA], {
    findDaemon: async () => daemonClient(unixTransport(place.socket)),
  });

describe('unnest upload', () => {
  test('sends all of a file, and says when the host has found it good', async () => {
    const { code, stdout, stderr } = await unnest('upload', 'debian', file);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: 'debian is ready\n', stderr: '' });
    expect(received.equals(content)).toBe(true);
  });

  test('goes on where it was interrupted', async () => {
    received = content.subarray(0, 5000);
    imageIs({ receivedBytes: 5000 });
    expect((await unnest('upload', 'debian', file)).code).toBe(0);
    expect(received.equals(content)).toBe(true);
  });

  test('begins anew where all of it had come and was no good', async () => {
    received = Buffer.alloc(content.length);
    imageIs({ receivedBytes: content.length, phase: 'Rejected' });
    expect((await unnest('upload', 'debian', file)).code).toBe(0);
    expect(received.equals(content)).toBe(true);
  });

  test('sends nothing of what is all there and is being looked into', async () => {
    received = content;
    imageIs({ receivedBytes: content.length, phase: 'Importing' });
    const control = place.control as { upload: typeof place.control.upload };
    control.upload = () => Promise.reject(new Error('nothing is to be sent'));
    const uploading = unnest('upload', 'debian', file);
    await looksOn();
    passed('Ready');
    expect(await uploading).toMatchObject({
      code: 0,
      stdout: 'all bytes of debian are there already: none were sent\ndebian is ready\n',
    });
  });

  test('of another file than the one that is there does not say that it is', async () => {
    imageIs({ phase: 'Ready' });
    writeFileSync(file, 'short');
    const { code, stderr } = await unnest('upload', 'debian', file);
    expect(code).toBe(exitCodes.usage);
    expect(stderr).toContain('has 5 bytes, and the document of debian says');
    rmSync(file);
    expect((await unnest('upload', 'debian', file)).stdout).toBe('debian is there already\n');
  });

  test('sends a corrected file of the same size, whatever keeps the one before', async () => {
    received = Buffer.alloc(content.length);
    imageIs({ receivedBytes: content.length, phase: 'Blocked' });
    expect((await unnest('upload', 'debian', file)).code).toBe(0);
    expect(received.equals(content)).toBe(true);
  });

  test('says why it was rejected, of these bytes and not of those before', async () => {
    passed('Rejected', 'what came before', 'earlier');
    const control = place.control as { upload: typeof place.control.upload };
    control.upload = async (_partition, _image, atByte, bytes) => {
      const receivedBytes = atByte + bytes.length;
      if (receivedBytes === content.length) {
        void looksOn().then(() => passed('Rejected', 'it is sha256:x', 'now'));
      }
      return { status: 'ok', receivedBytes, sizeBytes: content.length };
    };
    const { code, stderr } = await unnest('upload', 'debian', file);
    expect(code).toBe(exitCodes.partial);
    expect(stderr).toContain('debian was rejected: it is sha256:x');
    expect(stderr).not.toContain('before');
  });

  test('of a file of another size does not begin', async () => {
    writeFileSync(file, 'short');
    const { code, stderr } = await unnest('upload', 'debian', file);
    expect(code).toBe(exitCodes.usage);
    expect(stderr).toContain(`has 5 bytes, and the document of debian says ${content.length}`);
    expect(received.length).toBe(0);
  });

  test.each([
    [{ phase: 'Ready' } as const, 0, 'debian is there already'],
    [{ source: 'handOver' } as const, exitCodes.usage, 'unnest hand-over debian FILE'],
    [{ source: 'file' } as const, exitCodes.usage, 'which the operator puts there'],
    [
      { receivedBytes: null, message: 'OverBudget: too much' },
      exitCodes.partial,
      'OverBudget: too much',
    ],
  ])('where the Image is %j', async (state, exit, words) => {
    imageIs(state);
    const { code, stdout, stderr } = await unnest('upload', 'debian', file);
    expect(code).toBe(exit);
    expect(stdout + stderr).toContain(words);
  });

  test.each([
    [['Debian', 'FILE'], 'is no name of an Image'],
    [['debian', 'FOLDER'], 'is not a regular file'],
    [['debian', 'FOLDER/nosuch'], 'cannot read'],
  ])('of %j', async (words, complaint) => {
    const argv = words.map((word) => word.replace('FILE', file).replace('FOLDER', folder));
    const { code, stderr } = await unnest('upload', ...argv);
    expect(code).toBe(exitCodes.usage);
    expect(stderr).toContain(complaint);
  });

  test('that is given up says what is so, and can go on later', async () => {
    const control = place.control as { upload: typeof place.control.upload };
    control.upload = async (_partition, _image, atByte, bytes) => ({
      status: 'ok',
      receivedBytes: atByte + bytes.length,
      sizeBytes: content.length,
    });
    const argv = ['upload', 'debian', file, '-p', teamA];
    const { code, stderr } = await runUntilSeen(argv, place.socket);
    expect(code).toBe(exitCodes.timeout);
    expect(stderr).toContain('debian ready');
  });
});

describe('unnest hand-over', () => {
  const device = () => {
    const path = join(folder, 'disk');
    writeFileSync(path, Buffer.alloc(content.length + 24));
    return path;
  };
  const written = () => place.calls.filter(({ method }) => method === 'imageWritten').length;

  test('writes the disk, and only then says so', async () => {
    imageIs({ source: 'handOver', receivedBytes: null, serial: 'debian' });
    const disk = device();
    place.answer = async () => {
      expect(readFileSync(disk).subarray(0, content.length).equals(content)).toBe(true);
      passed('Ready');
      return { status: 'ok', message: 'the disk is taken back' };
    };
    const { code, stdout } = await unnest('hand-over', 'debian', file, '--device', disk);
    expect(code).toBe(0);
    expect(stdout).toBe('the disk is taken back\ndebian is ready\n');
    expect(written()).toBe(1);
  });

  test('without its disk says which one it would be', async () => {
    imageIs({ source: 'handOver', receivedBytes: null, serial: 'debian' });
    const { code, stderr } = await unnest('hand-over', 'debian', file);
    expect(code).toBe(exitCodes.usage);
    expect(stderr).toContain('cannot write to /dev/disk/by-id/virtio-debian');
    expect(written()).toBe(0);
  });

  test('without a file says that its disk is written, and writes nothing', async () => {
    imageIs({ source: 'handOver', receivedBytes: null, serial: 'debian' });
    const disk = device();
    place.answer = async () => {
      passed('Ready');
      return { status: 'ok', message: 'the disk is taken back' };
    };
    const { code, stdout } = await unnest('hand-over', 'debian', '--device', disk);
    expect(code).toBe(0);
    expect(stdout).toBe('the disk is taken back\ndebian is ready\n');
    expect(readFileSync(disk).every((byte) => byte === 0)).toBe(true);
    expect(written()).toBe(1);
  });

  test('without a file and without a disk yet says what keeps it', async () => {
    imageIs({ source: 'handOver', serial: null, message: 'OverBudget: too much' });
    const { code, stderr } = await unnest('hand-over', 'debian');
    expect(code).toBe(exitCodes.partial);
    expect(stderr).toContain('OverBudget: too much');
  });

  test.each([
    ['ImageBlocked', exitCodes.partial, 'end what blocks it; then '],
    ['TooBusy', exitCodes.conflict, 'try again in a moment; then '],
    ['NotInTime', exitCodes.timeout, '`unnest status` says how the host is; then '],
  ])(
    'that is refused with %s says how to say it again without writing',
    async (code, exit, todo) => {
      imageIs({ source: 'handOver', receivedBytes: null, serial: 'debian' });
      place.answer = { status: 'refused', code, message: 'debian is not taken' };
      const ran = await unnest('hand-over', 'debian', file, '--device', device());
      expect(ran).toEqual({
        code: exit,
        stdout: '',
        stderr: `error: debian is not taken\n  ${todo}\`unnest hand-over debian\`, without a file, says so again and writes nothing\n`,
      });
    },
  );

  test('to the disk of other bytes is not to be said again of the next one', async () => {
    imageIs({ source: 'handOver', receivedBytes: null, serial: 'debian' });
    place.answer = { status: 'refused', code: 'AwaitingBytes', message: 'there is no disk yet' };
    const { code, stderr } = await unnest('hand-over', 'debian', file, '--device', device());
    expect(code).toBe(exitCodes.partial);
    expect(stderr).toContain('there is no disk yet');
    expect(stderr).not.toContain('without a file');
  });

  test('of what no document speaks of any more is not to be said again', async () => {
    imageIs({ source: 'handOver', receivedBytes: null, serial: 'debian' });
    place.answer = { status: 'refused', code: 'NoSuchImage', message: 'no debian' };
    const { code, stderr } = await unnest('hand-over', 'debian', file, '--device', device());
    expect(code).toBe(exitCodes.usage);
    expect(stderr).not.toContain('without a file');
  });

  describe('whose disk is not taken after it was accepted', () => {
    const state = { source: 'handOver', receivedBytes: null, serial: 'debian' } as const;
    const held = 'Held: partition team-a is left alone';
    const awaits = 'AwaitingBytes: its Primary is to write it';
    type Step = readonly [phase: ImagePhase, message: string, handedOver: boolean | null];
    const asked = () => place.calls.filter(({ method }) => method === 'image').length;
    /** Each once whoever waits has asked about the one before, as it does but of what is being imported. */
    const say = async (steps: readonly Step[]) => {
      let before = asked();
      let last: ImagePhase = 'Pending';
      for (const [at, [phase, message, handedOver]] of steps.entries()) {
        if (last !== 'Importing') await waitFor(() => expect(asked()).toBeGreaterThan(before));
        before = asked();
        last = phase;
        imageIs({ ...state, phase, message, handedOver });
        passed(phase, message, `pass ${at}`);
      }
    };
    /** The host says these one after the other, from when it was told. */
    const handOver = (steps: readonly Step[]) => {
      imageIs({ ...state, handedOver: false, message: awaits });
      passed('Pending', awaits, 'before');
      place.answer = async () => {
        imageIs({ ...state, handedOver: true, message: awaits });
        void say(steps);
        return { status: 'ok', message: 'the disk is taken back' };
      };
      // Or what waits for ever would.
      return unnest('hand-over', 'debian', file, '--device', device(), '--timeout', '45');
    };
    const blocked = (words: string, todo: string) => ({
      code: exitCodes.partial,
      stdout: 'the disk is taken back\n',
      stderr: `error: debian was not taken, and is not waited for any more: ${words}\n  ${todo}; then \`unnest hand-over debian\`, without a file, says so again and writes nothing\n`,
    });
    const end = (code: string) => `end what blocks it (\`unnest explain ${code}\`)`;

    test.each<[string, Step[], string, string]>([
      ['stays blocked', [['Blocked', held, false]], held, end('Held')],
      [
        'was blocked, and is asked for anew',
        [
          ['Blocked', held, true],
          ['Pending', awaits, false],
        ],
        held,
        end('Held'),
      ],
      [
        'is blocked by what it is on',
        [['Blocked', 'PartBlocked: the image disk is blocked: NotAllowed: no', false]],
        'PartBlocked: the image disk is blocked: NotAllowed: no',
        end('NotAllowed'),
      ],
      [
        'is asked for anew',
        [['Pending', awaits, false]],
        awaits,
        '`unnest events` tells what has blocked it',
      ],
    ])('as it %s ends with that', async (_, steps, words, todo) => {
      expect(await handOver(steps)).toEqual(blocked(words, todo));
    });

    test.each<[string, Step[]]>([
      ['waits for what ends by itself', [['Blocked', 'HostUnknown: it hangs', true]]],
      ['is what an older unnestd says nothing of', [['Pending', awaits, null]]],
      ['was taken', [['Importing', '', false]]],
    ])('yet, as it %s, is waited for', async (_, steps) => {
      const { code, stdout } = await handOver([...steps, ['Ready', '', false]]);
      expect(code).toBe(0);
      expect(stdout).toBe('the disk is taken back\ndebian is ready\n');
    });

    test('since it was no good says that', async () => {
      const { code, stderr } = await handOver([['Rejected', 'it is sha256:x', false]]);
      expect(code).toBe(exitCodes.partial);
      expect(stderr).toContain('debian was rejected: it is sha256:x');
    });
  });

  const onImageDisk = {
    source: 'imageDisk',
    receivedBytes: null,
    serial: 'unnest-images',
  } as const;

  test('of what is on the image disk writes nothing, and says that it is unmounted', async () => {
    imageIs(onImageDisk);
    const disk = device();
    place.answer = async () => {
      passed('Ready');
      return { status: 'ok', message: 'the image disk is taken back' };
    };
    const { code, stdout } = await unnest('hand-over', 'debian', '--device', disk);
    expect(code).toBe(0);
    expect(stdout).toBe('the image disk is taken back\ndebian is ready\n');
    expect(readFileSync(disk).every((byte) => byte === 0)).toBe(true);
    expect(written()).toBe(1);
  });

  test.each([
    ['with a file', onImageDisk, ['FILE'], 'is taken off the image disk, where its document says'],
    ['without its disk', onImageDisk, [], 'cannot let go of /dev/disk/by-id/virtio-unnest-images'],
    ['of a disk that is none', onImageDisk, ['--device', '/dev/null'], '/dev/null is no disk'],
    [
      'without a file, of a disk that is not there',
      { source: 'handOver', serial: 'debian' } as const,
      [],
      'cannot write to /dev/disk/by-id/virtio-debian',
    ],
  ])('%s says nothing to the host', async (_, state, words, complaint) => {
    imageIs(state);
    const argv = words.map((word) => word.replace('FILE', file));
    const { code, stderr } = await unnest('hand-over', 'debian', ...argv);
    expect(code).toBe(exitCodes.usage);
    expect(stderr).toContain(complaint);
    expect(written()).toBe(0);
  });

  test('of what is on the image disk is told to whom uploads it', async () => {
    imageIs(onImageDisk);
    const { code, stderr } = await unnest('upload', 'debian', file);
    expect(code).toBe(exitCodes.usage);
    expect(stderr).toContain('unnest hand-over debian');
  });

  test('of what is uploaded says so', async () => {
    const { code, stderr } = await unnest('hand-over', 'debian', file);
    expect(code).toBe(exitCodes.usage);
    expect(stderr).toContain('unnest upload debian FILE');
  });
});
