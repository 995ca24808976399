/**
 * All rows and what is printed of them. These are figures, not tests: a target that is missed is
 * said and is no failure; a row that could not be measured is one.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { describeMachine } from './machine.ts';
import { makePartition } from './partition.ts';
import type { Row } from './row.ts';
import { channel } from './rows/channel.ts';
import { channelEdit } from './rows/channel-edit.ts';
import { daemonCreate } from './rows/daemon-create.ts';
import { daemonFile } from './rows/daemon-file.ts';
import { daemonIdle } from './rows/daemon-idle.ts';
import { daemonPass } from './rows/daemon-pass.ts';
import { daemonStart } from './rows/daemon-start.ts';
import { define } from './rows/define.ts';
import { diffPlan } from './rows/diff-plan.ts';
import { imageImport } from './rows/image-import.ts';
import { libvirtRead } from './rows/libvirt-read.ts';
import { nested } from './rows/nested.ts';
import { plan } from './rows/plan.ts';
import { start } from './rows/start.ts';
import { renderTable } from './table.ts';

const fleet = makePartition('fleet');

/** In this order, since those with few domains come before the host has many. */
const benches = new Map<string, () => Promise<readonly Row[]>>([
  ['define-200', () => define(makePartition('define'))],
  ['start-10', () => start(makePartition('start'))],
  ['daemon-file-to-read', daemonFile],
  ['channel-edit-to-read', channelEdit],
  ['daemon-create-to-running', daemonCreate],
  ['daemon-start-10', daemonStart],
  ['plan-10', () => plan(fleet, { count: 10, turns: 9, processPerDomainTurns: 5 })],
  ['plan-100', () => plan(fleet, { count: 100, turns: 9, processPerDomainTurns: 2 })],
  [
    'plan-1000',
    () =>
      plan(fleet, {
        count: 1000,
        turns: 7,
        processPerDomainTurns: 1,
        target: { of: 'value', max: 900 },
      }),
  ],
  ['libvirt-read-1000', () => libvirtRead(fleet)],
  ['daemon-pass-1000', () => daemonPass(fleet)],
  ['daemon-idle-1000', () => daemonIdle(fleet)],
  ['diff-plan-10000', diffPlan],
  ['channel', channel],
  ['image-import-1GiB', imageImport],
  ['nested-vs-sibling', nested],
]);

/** These take long, and are measured only where they are named. */
const onlyNamed: ReadonlySet<string> = new Set(['daemon-idle-1000', 'nested-vs-sibling']);

/** @param args of the command line, without the program. */
export async function bench(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: { only: { type: 'string', multiple: true }, json: { type: 'string' } },
  });
  const only = values.only ?? [...benches.keys()].filter((name) => !onlyNamed.has(name));
  const unknown = only.filter((name) => !benches.has(name));
  if (unknown.length > 0) {
    console.error(`bench: no ${unknown.join(', ')}; there are ${[...benches.keys()].join(', ')}`);
    process.exitCode = 2;
    return;
  }
  for (const name of onlyNamed) {
    if (!only.includes(name)) console.error(`bench: left out, as it takes long: --only ${name}`);
  }
  const machine = await describeMachine();
  const rows: Row[] = [];
  for (const [name, measure] of benches) {
    if (only.includes(name)) rows.push(...(await measured(name, measure)));
  }
  console.log(renderTable(rows));
  if (values.json === undefined) return;
  const document = { machine, date: new Date().toISOString(), rows };
  writeFileSync(values.json, `${JSON.stringify(document, null, 2)}\n`);
}

/** No rows, and a failure in the end, if it could not be measured: the others still can be. */
async function measured(
  name: string,
  measure: () => Promise<readonly Row[]>,
): Promise<readonly Row[]> {
  const startedMs = performance.now();
  try {
    const rows = await measure();
    console.error(`bench: ${name} took ${((performance.now() - startedMs) / 1000).toFixed(1)} s`);
    return rows;
  } catch (error) {
    console.error(`bench: ${name} could not be measured:`, error);
    process.exitCode = 1;
    return [];
  }
}
