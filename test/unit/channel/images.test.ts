/** Bytes of Images over the API: as they are, one piece at a time, and written into the books once. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { daemonClient, type DaemonClient } from '../../../src/channel/client.ts';
import { unixTransport } from '../../../src/channel/client-transport.ts';
import type { ImageState, UploadAnswer } from '../../../src/channel/control.ts';
import { channelLimits } from '../../../src/channel/limits.ts';
import type { ImageName } from '../../../src/model/names.ts';
import { type ApiPlace, apiPlace } from './api-place.ts';
import { teamA } from './fake-control.ts';

const never = new AbortController().signal;
const debian = 'debian' as ImageName;

let place: ApiPlace;
let client: DaemonClient;
beforeEach(async () => {
  place = await apiPlace();
  client = daemonClient(unixTransport(place.socket));
});
afterEach(() => place.dispose());

const upload = (atByte: number, length: number) =>
  client.upload(teamA, debian, atByte, Buffer.alloc(length, 7), never);
const bookedOf = () => place.audited.map(({ request, outcome }) => `${request} ${outcome}`);

describe('an upload', () => {
  test('is handed on byte for byte, with where it belongs', async () => {
    const control = place.control as { upload: typeof place.control.upload };
    const before = control.upload;
    let seen: Uint8Array | null = null;
    control.upload = (partition, image, atByte, bytes) => {
      seen = bytes;
      return before(partition, image, atByte, bytes);
    };
    const bytes = Buffer.from([0, 10, 13, 255, 123, 0]);
    expect(await client.upload(teamA, debian, 3, bytes, never)).toBe(4);
    expect(place.calls).toEqual([{ method: 'upload', args: [teamA, debian, 3, bytes.length] }]);
    expect(Buffer.from(seen ?? []).equals(bytes)).toBe(true);
  });

  test('may be of as many bytes as are taken, and of no more', async () => {
    expect(await upload(0, channelLimits.uploadBytesMax)).toBe(4);
    await expect(upload(0, channelLimits.uploadBytesMax + 1)).rejects.toMatchObject({
      code: 'TooLarge',
    });
    expect(place.calls).toHaveLength(1);
  });

  test('is one at a time', async () => {
    let release = () => {};
    const control = place.control as { upload: typeof place.control.upload };
    control.upload = (): Promise<UploadAnswer> =>
      new Promise((done) => {
        release = () => done({ status: 'ok', receivedBytes: 1, sizeBytes: 8 });
      });
    const first = upload(0, 1);
    await expect.poll(() => release.toString()).toContain('done');
    await expect(upload(0, 1)).rejects.toMatchObject({ code: 'TooBusy' });
    release();
    expect(await first).toBe(1);
  });

  test('is in the books when it has ended, and only then', async () => {
    await upload(0, 4);
    expect(bookedOf()).toEqual([]);
    place.uploaded = { status: 'ok', receivedBytes: 8, sizeBytes: 8 };
    await upload(4, 4);
    place.uploaded = { status: 'refused', code: 'NotTaken', message: '8 bytes have come' };
    await expect(upload(4, 4)).rejects.toMatchObject({ code: 'NotTaken' });
    expect(bookedOf()).toEqual(['PUT images/debian/bytes ok']);
  });
});

describe('a word about a disk', () => {
  /** That of whoever asks, as the daemon sees it. */
  let over: AbortSignal | null = null;
  let answer = () => {};
  beforeEach(() => {
    over = null;
    const control = place.control as { imageWritten: typeof place.control.imageWritten };
    control.imageWritten = (_partition, _image, _submitter, signal) => {
      over = signal;
      return new Promise((done) => {
        answer = () => done({ status: 'ok', message: 'taken down' });
      });
    };
  });

  test('is over when whoever says it leaves, and not before', async () => {
    const leaving = new AbortController();
    const saying = client.imageWritten(teamA, debian, leaving.signal).catch(String);
    await expect.poll(() => over).not.toBeNull();
    expect(over?.aborted).toBe(false);
    leaving.abort();
    expect(await saying).toContain('interrupted');
    await expect.poll(() => over?.aborted).toBe(true);
    answer();
  });

  test('is over when it was said that there is no answer', async () => {
    const saying = client.imageWritten(teamA, debian, never);
    await expect.poll(() => over).not.toBeNull();
    place.ring(channelLimits.answerMs);
    await expect(saying).rejects.toMatchObject({ code: 'NoAnswer' });
    await expect.poll(() => over?.aborted).toBe(true);
    answer();
  });
});

test('how far an Image is, and that its disk is written', async () => {
  const image: ImageState = {
    name: debian,
    phase: 'Pending',
    message: '',
    source: 'handOver',
    sizeBytes: 8,
    receivedBytes: null,
    serial: 'debian',
    handedOver: true,
  };
  place.image = { status: 'ok', image };
  expect(await client.image(teamA, debian, never)).toEqual(image);
  expect(await client.imageWritten(teamA, debian, never)).toBe('taken down');
  expect(place.calls.at(-1)?.args.slice(0, 2)).toEqual([teamA, debian]);
  expect(bookedOf()).toEqual(['POST images/debian/written ok']);
});
