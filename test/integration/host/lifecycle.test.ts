/** Real guests with a guest agent: waited for, stopped by it, and left alone where force is forbidden. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Report } from '../../../src/execute/outcome.ts';
import { openLibvirtHost } from '../../../src/host/libvirt/open.ts';
import { storePath } from '../../../src/host/local/store.ts';
import type { Host } from '../../../src/host/ports.ts';
import type { SecondaryName } from '../../../src/model/names.ts';
import type { Secondary } from '../../../src/model/secondary.ts';
import { observe } from '../../../src/observe/observe.ts';
import {
  desired,
  installation,
  partition,
  planPass,
  runPlan,
  secondary,
} from '../../support/passes.ts';
import { virsh } from '../../support/cli.ts';
import { until } from '../../support/until.ts';

const never = new AbortController().signal;
const stateDir = mkdtempSync(join(tmpdir(), 'unnest-'));
let opened: Awaited<ReturnType<typeof openLibvirtHost>>;

beforeAll(async () => {
  const store = storePath(stateDir, partition);
  const kit = process.env['UNNEST_GUEST_KIT'] ?? '';
  mkdirSync(store, { recursive: true });
  for (const file of ['vmlinuz', 'initrd.img']) copyFileSync(join(kit, file), join(store, file));
  opened = await openLibvirtHost({ uri: 'qemu:///system', stateDir, partition }, never);
});

afterAll(async () => {
  for (const { domainName } of await opened.host.domains.list(never)) {
    await virsh('destroy', domainName).catch(() => undefined);
    await virsh('undefine', domainName).catch(() => undefined);
  }
  await opened.close();
  rmSync(stateDir, { recursive: true });
});

const guest = (name: string, words: string, more: Partial<Secondary> = {}) => {
  const commandLine = `console=ttyS0 quiet ${words}`;
  const boot = { kind: 'kernel', kernel: 'vmlinuz', initrd: 'initrd.img', commandLine };
  return secondary(name, { boot: boot as Secondary['boot'], stopGraceMs: 60_000, ...more });
};
const timed = (host: Host) => ({ ...host, clock: { now: () => performance.now() } });
const apply = async (...secondaries: readonly Secondary[]) => {
  const plan = await planPass(opened.host, desired(...secondaries), true);
  return runPlan(plan, timed(opened.host), { inFlightMax: 4 });
};
const resultOf = ({ outcomes }: Report, id: string) =>
  outcomes.find(({ operation }) => operation.id === id)?.result;
const seen = async (name: string) => {
  const { domains } = await observe(opened.host, {
    partition,
    wanted: new Set([name as SecondaryName]),
    volumes: new Set(),
    images: new Set(),
    seeds: new Set(),
    files: new Set(),
    catalogue: new Set(),
    withCid: new Set(),
    primary: null,
    newInstallation: installation,
    signal: never,
  });
  const domain = domains.get(name as SecondaryName);
  return domain?.status === 'present' ? domain.value : null;
};

test('whoever starts after a guest with an agent starts once that answers', async () => {
  const byAgent = { guestAgent: true, readiness: 'GuestAgent' } as const;
  const db = guest('db', 'unnest.do=agent unnest.do=ignore-shutdown', byAgent);
  const app = guest('app', '', { startAfter: ['db' as SecondaryName] });
  const report = await apply(db, app);
  expect(
    report.outcomes.map(({ operation, result }) => `${operation.id} ${result.status}`),
  ).toEqual([
    'installation.record applied',
    'domain.define/db applied',
    'domain.define/app applied',
    'domain.start/db applied',
    'domain.await-ready/db applied',
    'domain.start/app applied',
  ]);
  expect(await seen('db')).toMatchObject({ agent: 'connected', runId: expect.any(Number) });
  expect((await planPass(opened.host, desired(db, app))).operations).toEqual([]);
  // It hears no button, so it was its agent, which is asked once: it is there, and not only connected.
  const there = await seen('db');
  if (there === null) throw new Error('there is no db');
  await until('its agent answers', () =>
    opened.host.domains.askAgent(there, never).then(
      () => true,
      () => false,
    ),
  );
  const stopped = await apply({ ...db, runPolicy: 'Halted' }, app);
  expect(resultOf(stopped, 'domain.stop/db')).toEqual({
    status: 'applied',
    detail: 'by its guest agent',
  });
  expect(await seen('db')).toMatchObject({
    power: { status: 'stopped', reason: 'guest-shutdown' },
    stopAsked: true,
    runId: null,
  });
});

test('a guest without an agent is stopped by its button though it has a channel for one', async () => {
  const web = guest('web', '', { guestAgent: true });
  await apply(web);
  await lives('web');
  const report = await apply({ ...web, runPolicy: 'Halted' });
  expect(resultOf(report, 'domain.stop/web')).toEqual({
    status: 'applied',
    detail: 'by its power button',
  });
});

test('a guest that may not be powered off runs on, and its stop is to be tried again', async () => {
  const deaf = guest('deaf', 'unnest.do=ignore-shutdown', { forceStop: false, stopGraceMs: 3000 });
  await apply(deaf);
  await lives('deaf');
  const report = await apply();
  expect(resultOf(report, 'domain.stop/deaf')).toMatchObject({
    status: 'failed',
    failure: { code: 'Timeout', retryable: true },
  });
  expect(resultOf(report, 'domain.undefine/deaf')).toMatchObject({ status: 'skipped' });
  expect(await seen('deaf')).toMatchObject({ power: { status: 'running' } });
  const allowed = await apply({ ...deaf, forceStop: true, runPolicy: 'Halted' });
  expect(resultOf(allowed, 'domain.stop/deaf')).toEqual({
    status: 'applied',
    detail: 'powered off',
  });
});

/** Until its user space has spoken, a guest hears no button. */
async function lives(name: string): Promise<void> {
  const domain = await seen(name);
  if (domain === null) throw new Error(`there is no ${name}`);
  const enough = new AbortController();
  for await (const chunk of await opened.host.domains.console(domain, enough.signal)) {
    if (/booted|up [0-9]+ s/.test(Buffer.from(chunk).toString())) break;
  }
  enough.abort();
}
