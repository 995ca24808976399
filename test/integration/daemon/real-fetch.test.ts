/**
 * unnestd fetches an Image from a real server, is killed in the middle, and goes on where it was: what has
 * come is on the disk, and nothing else is remembered.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, type TestContext } from 'vitest';
import { daemonPlace } from '../../support/daemon.ts';
import { digestOf } from '../../support/digest.ts';
import { giving, type ImageServer, imageServer } from '../../support/image-server.ts';
import { descendantsOf, isAlive } from '../../support/processes.ts';
import { until } from '../../support/until.ts';

const MiB = 2 ** 20;
const content = randomBytes(6 * MiB);
let server: ImageServer;
beforeAll(async () => {
  expect(process.env['UNNEST_RIG']).toBe('1');
  server = await imageServer({ name: 'localhost' });
});
afterAll(() => server.close());

function setup({ onTestFinished }: TestContext, partition: string, imageHost: object) {
  const place = daemonPlace({ spec: [`fetch: { caFile: ${server.caFile} }`] });
  onTestFinished(() => place.dispose());
  const host = `localhost:${server.port}`;
  place.describe(partition, 'Directory', { policy: { imageHosts: [{ host, ...imageHost }] } });
  const write = (name = 'debian') =>
    place.write(
      partition,
      `apiVersion: unnest.dev/v1
kind: Image
metadata: { name: ${name} }
spec:
  digest: ${digestOf(content)}
  format: raw
  source: { url: { from: "https://${host}/${name}.img", bytes: ${content.length} } }
`,
    );
  const said = () => {
    const found = place.status(partition)?.resources.find(({ kind }) => kind === 'image');
    return `${found?.phase} ${found?.message}`.trim();
  };
  const at = (path: string) => place.at(join('state', partition, path));
  return { place, write, said, at };
}

test('killed in the middle: the next one goes on there, and no half of it is ever an Image', async (context) => {
  const { place, write, said, at } = setup(context, 'fetch-a', { privateAddresses: true });
  const half = 3 * MiB;
  server.answer((_request, response) => {
    response.writeHead(200, { 'content-length': content.length });
    response.write(content.subarray(0, half));
  });
  write();
  const killed = await place.start();
  const disk = at('intakes/debian/disk.raw');
  // The last piece that is worth writing comes with what is behind it, or never.
  await until('half of it is there', () => existsSync(disk) && statSync(disk).size >= 2 * MiB);
  await until('that is said', said, (text) => /^Importing Fetching: [23]\d{6} of 6/.test(text));
  expect(existsSync(at('images/debian'))).toBe(false);
  const fetchers = descendantsOf(killed.pid);
  expect(fetchers.length).toBeGreaterThan(0);
  await killed.end('SIGKILL');
  await until('nobody fetches any more', () => !fetchers.some(isAlive));
  const there = statSync(disk).size;
  expect(readFileSync(disk).equals(content.subarray(0, there))).toBe(true);

  server.answer(giving(content));
  const next = await place.start();
  await until('it is there', said, (text) => text === 'Ready');
  expect(server.asked.map(({ headers }) => headers.range)).toEqual([undefined, `bytes=${there}-`]);
  expect(readFileSync(at('images/debian/disk.raw')).equals(content)).toBe(true);
  expect(existsSync(at('intakes/debian'))).toBe(false);
  await until('nobody is left who fetches', () => fetching(next.pid).length === 0);
});

test('an Image whose document goes: the fetch ends with it', async (context) => {
  const { place, write, at } = setup(context, 'fetch-b', { privateAddresses: true });
  let isOpen = false;
  server.answer((_request, response) => {
    isOpen = true;
    response.on('close', () => (isOpen = false));
    response.writeHead(200, { 'content-length': content.length });
    response.write(content.subarray(0, 2 * MiB));
  });
  write();
  const daemon = await place.start();
  await until('some of it is there', () => existsSync(at('intakes/debian/disk.raw')) && isOpen);
  place.write('fetch-b', volume);
  await until('the connection is closed', () => !isOpen);
  await until('nothing is left of it', () => !existsSync(at('intakes/debian')));
  await until('nobody is left who fetches', () => fetching(daemon.pid).length === 0);
  expect(existsSync(at('images/debian'))).toBe(false);
});

test('a name that leads to this host, where the operator has not allowed it, is not asked', async (context) => {
  const { place, write, said, at } = setup(context, 'fetch-c', {});
  const before = server.asked.length;
  write();
  const daemon = await place.start();
  await until('it is refused', said, (text) => text.startsWith('Rejected'));
  expect(said()).toMatch(/^Rejected GaveUp: it has failed once: AddressNotAllowed: localhost:\d+:/);
  expect(said()).not.toContain('127.');
  expect(server.asked).toHaveLength(before);
  expect(existsSync(at('images/debian'))).toBe(false);
  expect(daemon.lines('fetch-failed')).toMatchObject([
    { level: 'warn', image: 'debian', code: 'AddressNotAllowed' },
  ]);
});

const volume = `apiVersion: unnest.dev/v1
kind: Volume
metadata: { name: data }
spec: { size: 1MiB }
`;

/** Sandboxes with a fetcher in them. */
function fetching(pid: number): readonly number[] {
  return descendantsOf(pid).filter((each) => commandOf(each).includes('--max-old-space-size=128'));
}

/** Empty: it has ended since it was listed. */
function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return '';
  }
}
