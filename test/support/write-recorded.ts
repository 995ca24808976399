/**
 * `npm run recorded`: writes down what this version's client and agent send, and what they are answered, before it is
 * released; `test/unit/channel/recorded.test.ts` sends it to every later version. What is recorded of a
 * version that was released is never written again.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { forwardToHost } from '../../src/channel/agent/forwarding.ts';
import { hostTransport } from '../../src/channel/agent/host-agent.ts';
import { type DaemonClient, daemonClient } from '../../src/channel/client.ts';
import { unixTransport } from '../../src/channel/client-transport.ts';
import { primaryScope } from '../../src/channel/scope.ts';
import type { ImageName } from '../../src/model/names.ts';
import { machineRuntime } from '../../src/daemon/machine/machine-runtime.ts';
import { connect } from 'node:net';
import { apiPlace } from '../unit/channel/api-place.ts';
import { type Exchanged, recorder, textOf } from '../unit/channel/recorded.ts';
import { teamA, web } from '../unit/channel/fake-control.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly version: string;
};
const folder = join(root, 'test/unit/channel/recorded', `v1-${version}`);
const isNew = !existsSync(folder);
if (!isNew && !process.argv.includes('--again')) {
  throw new Error(`${folder} is there: with --again, if ${version} was not released yet`);
}
mkdirSync(folder, { recursive: true });

const again = {
  newKey: () => '5d1f0a4e-7a53-4a4b-9d0c-0d6b6f3c0c03',
  sleep: async () => undefined,
};
const { signal } = new AbortController();
const image = 'debian' as ImageName;
const files = [{ path: 'web.yaml', text: 'kind: Secondary\nmetadata: { name: "web" }\n' }];

async function askEverything(client: DaemonClient): Promise<void> {
  await client.about(signal);
  await client.partitions(signal);
  await client.status(teamA, signal);
  await firstOf(await client.statuses(teamA, signal));
  await firstOf(await client.events({ partition: teamA, after: 0, watch: true }, signal));
  await client.desired(teamA, signal);
  await client.description(teamA, signal);
  await client.history(teamA, signal);
  await client.usage(teamA, true, signal);
  await client.submit(teamA, { files, ifGeneration: 6, deleteEverything: false }, signal);
  await client.plan(teamA, { files, deletionsMax: 3 }, signal);
  await client.rollback(teamA, { generation: 5 }, signal);
  for (const action of ['start', 'stop', 'restart'] as const) {
    await client.power(teamA, web, action, signal);
  }
  await client.upload(teamA, image, 0, Buffer.from('abcd'), signal);
  await client.imageWritten(teamA, image, signal);
  await client.retry(teamA, signal);
}

async function askAsOperator(client: DaemonClient): Promise<void> {
  await askEverything(client);
  await client.audit({ partition: teamA, last: 10 }, signal);
  await client.pause(teamA, { secondary: web, reason: 'backup', forSeconds: 90 }, signal);
  await client.resume(teamA, web, signal);
  await client.resume(teamA, null, signal);
  await client.drain(teamA, signal);
}

async function askAsAgent(client: DaemonClient): Promise<void> {
  const stay = await client.beAgent(signal);
  const lines = stay[Symbol.asyncIterator]();
  await lines.next();
  await client.answerBeat(signal);
  await client.submit(teamA, { files, folder: { isComplete: true } }, signal);
  await lines.return?.();
}

async function firstOf(lines: AsyncIterable<unknown>): Promise<void> {
  for await (const _ of lines) return;
}

async function recordOperator(at: string): Promise<readonly Exchanged[]> {
  const place = await apiPlace();
  place.say({ kind: 'gave-up', partition: teamA, attempts: 3, message: 'no' });
  const between = await recorder(join(at, 'between'), place.socket);
  await askAsOperator(daemonClient(unixTransport(join(at, 'between')), { again, version }));
  between.close();
  await place.dispose();
  return between.exchanged;
}

/** What the agent itself asks, and what it forwards for others, as the host gets it. */
async function recordAgent(at: string): Promise<readonly Exchanged[]> {
  const place = await apiPlace(undefined, primaryScope(teamA));
  place.say({ kind: 'gave-up', partition: teamA, attempts: 3, message: 'no' });
  const path = join(at, 'to-host');
  const between = await recorder(path, place.socket);
  const dial = async () => connect({ path, allowHalfOpen: true });
  const host = hostTransport('the host', dial, 4);
  await askAsAgent(daemonClient(host, { version }));
  const forwarding = await forwardToHost({
    runtime: machineRuntime(),
    address: { kind: 'unix', path: join(at, 'agent'), mode: 0o600, group: null },
    host,
    folder: null,
  });
  await askEverything(daemonClient(unixTransport(join(at, 'agent')), { again, version }));
  await forwarding.close();
  host.close();
  between.close();
  await place.dispose();
  return between.exchanged;
}

const at = mkdtempSync(join(tmpdir(), 'unnest-record-'));
writeFileSync(join(folder, 'operator.http'), textOf(await recordOperator(at)));
writeFileSync(join(folder, 'agent.http'), textOf(await recordAgent(at)));
rmSync(at, { recursive: true });
