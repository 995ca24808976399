/**
 * LVM's own program, one command at a time: its argument list is all that it is told by, and what of the host's lvm.conf
 * would matter is said each time. Whatever changes something is never killed half-way: a thin pool that is left
 * suspended stops every guest that has a disk in it. It is asked to end (SIGTERM), which LVM does where that is safe; and
 * where systemd runs it is in a scope of its own, since what is left of a service that ends is killed.
 */
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { HostError } from '../host-error.ts';
import { timeoutSignal } from '../timeout-signal.ts';
import { takingTurns } from '../turns.ts';
import { attempt } from './attempt.ts';
import { runProgram } from './run-program.ts';

export interface Lvm {
  /** Reads one volume group. @throws HostError `Refused` if there is none */
  report(group: string, signal: AbortSignal): Promise<VolumeGroup>;
  /** Whether LVM itself, as it is set up here, looks for physical volumes in logical ones. */
  scansVolumes(signal: AbortSignal): Promise<boolean>;
  /** Changes something: `lvcreate` and its like. Not begun once told to stop, and not ended by that. */
  change(verb: LvmVerb, args: readonly string[], signal: AbortSignal): Promise<void>;
}

export type LvmVerb = 'lvcreate' | 'lvchange' | 'lvextend' | 'lvremove';

export interface LogicalVolume {
  readonly name: string;
  readonly sizeBytes: number;
  readonly tags: readonly string[];
  /** The thin pool that it is in; null: none. */
  readonly pool: string | null;
  readonly isThinPool: boolean;
  /** Of a thin pool: whether what it hands out reads as zeroes until it is written to. */
  readonly isZeroing: boolean;
  /** Of a thin pool: what it hands out is whole numbers of these; 0: it is none. */
  readonly chunkBytes: number;
  /** Something else is made of it, and would go with it, as a snapshot that is in no thin pool. */
  readonly isOrigin: boolean;
  /** Of a thin pool: what LVM says is the matter with it; empty: nothing. */
  readonly health: string;
  readonly isActive: boolean;
  /** How much of it is there already; null: LVM does not know, as of one that is not active. */
  readonly dataPercent: number | null;
  /** Of a thin pool's own map. */
  readonly metadataPercent: number | null;
}

export interface VolumeGroup {
  /** All sizes in it are whole numbers of these. */
  readonly extentBytes: number;
  readonly volumes: ReadonlyMap<string, LogicalVolume>;
}

const remedy = 'apt-get install lvm2 thin-provisioning-tools';
/** It warns of much, before it says what is the matter. */
const noise = /^\s*WARNING:/;
/** LVM waits for whoever else changes the group, an operator too. */
const changeMsMax = 120_000;
const reportMsMax = 60_000;
/** Until those before it have ended. */
const turnMsMax = 300_000;
const outputBytesMax = 32 * 2 ** 20;

/**
 * `scan_lvs`: what a guest writes into its disk, a physical volume's label too, is never looked for. The nodes below
 * /dev are udev's, which is told when to make them, so that our rule for it is what decides who looks into them.
 */
const config = [
  'devices { scan_lvs=0 }',
  'activation { udev_sync=1 udev_rules=1 }',
  'report { list_item_separator="," }',
].join(' ');

const fields = [
  'lv_name',
  'lv_size',
  'lv_tags',
  'lv_attr',
  'lv_layout',
  'lv_health_status',
  'pool_lv',
  'data_percent',
  'metadata_percent',
  'vg_extent_size',
  // With it there is a row for each segment of those that have several, which are told apart by nothing else.
  'chunk_size',
];

const scope = [
  '--scope',
  '--quiet',
  '--collect',
  '--no-ask-password',
  '--slice=system.slice',
  '--',
];

/** @param program for tests, as the others are */
export function systemLvm(
  program = 'lvm',
  hasSystemd = existsSync('/run/systemd/system'),
  answering = machinePatience,
): Lvm {
  const run = (args: readonly string[]) =>
    hasSystemd
      ? { command: 'systemd-run', args: [...scope, program, ...args] }
      : { command: program, args };
  return {
    report: (group, signal) =>
      attempt(`reading volume group ${group}`, signal, async () => {
        const how = ['--reportformat', 'json', '--units', 'b', '--nosuffix'];
        const args = ['lvs', '--config', config, ...how, '--options', fields.join(','), group];
        const bounds = { timeLimitMs: reportMsMax, outputBytesMax, remedy, noise, signal };
        const asked = () =>
          quoting(() => runProgram({ command: program, args, title: 'lvs', ...bounds }));
        return groupIn(await answering(asked));
      }),
    scansVolumes: (signal) =>
      attempt('asking LVM how it is set up', signal, async () => {
        const args = ['lvmconfig', '--typeconfig', 'full', 'devices/scan_lvs'];
        const bounds = { timeLimitMs: reportMsMax, outputBytesMax: 2 ** 16 };
        const said = await runProgram({ command: program, args, remedy, ...bounds, signal });
        return said.trim() !== 'scan_lvs=0';
      }),
    // One after the other: whoever waits for LVM's own lock would wait here as well, and not be told.
    change: async (verb, args, signal) => {
      const command = run([verb, '--config', config, ...args]);
      const bounds = { timeLimitMs: changeMsMax, outputBytesMax: 2 ** 20, remedy, noise };
      const end = { endBy: 'SIGTERM', signal: new AbortController().signal } as const;
      const act = () =>
        attempt(`running ${verb}`, signal, () =>
          quoting(() => runProgram({ ...command, title: verb, ...bounds, ...end })),
        );
      await onceItsTurn(act, signal);
    },
  };
}

/** Its own words in quotes: they speak of the whole group, and tenants are not told them (`discreet.ts`). */
async function quoting<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof HostError) || !(error.cause instanceof Error)) throw error;
    const { code, message, context } = error;
    const cause = new Error(`LVM says "${error.cause.message.replaceAll('"', "'")}"`);
    throw new HostError(code, message, { cause, context });
  }
}

export type Patience = <T>(ask: () => Promise<T>) => Promise<T>;

/**
 * What waits for a disk that does not answer cannot be killed: nobody waits for it longer than this, and none is
 * started beside it.
 */
export function patience(msMax: number): Patience {
  let stuck = 0;
  const late = () =>
    new HostError('Timeout', 'LVM does not answer: somebody holds it, or a disk of its hangs');
  return async (ask) => {
    if (stuck > 0) throw late();
    const asked = ask();
    const timer = new AbortController();
    const over = sleep(msMax, null, { signal: timer.signal }).then(() => {
      stuck += 1;
      void asked.catch(() => undefined).then(() => (stuck -= 1));
      throw late();
    });
    over.catch(() => undefined);
    try {
      return await Promise.race([asked, over]);
    } finally {
      timer.abort();
    }
  };
}

/** Of all who ask on this machine. */
const machinePatience = patience(reportMsMax + 10_000);
/** The one of this machine: who has waited for it in vain tells the others. */
export const machineLvm: Lvm = systemLvm();

/**
 * In its turn, which it has until it has really ended; whoever waits for that learns after a while that it does not.
 * @param signal ends the waiting for the turn, as a while does, and not what has begun
 * @throws HostError `Timeout` if it has not ended, or its turn not come
 */
async function onceItsTurn<T>(act: () => Promise<T>, signal: AbortSignal): Promise<T> {
  const waiting = AbortSignal.any([signal, timeoutSignal(turnMsMax)]);
  const ended = new AbortController();
  let tellLate: (error: HostError) => void = () => undefined;
  const late = new Promise<never>((_, fail) => (tellLate = fail));
  const begin = () => {
    sleep(changeMsMax + 10_000, null, { signal: ended.signal }).then(
      () => tellLate(new HostError('Timeout', 'what LVM is changing does not end')),
      () => undefined,
    );
    return act();
  };
  try {
    return await Promise.race([takingTurns('lvm', begin, waiting), late]);
  } catch (error) {
    const isOver = waiting.aborted && !signal.aborted;
    if (!isOver || !(error instanceof HostError) || error.code !== 'Cancelled') throw error;
    throw new HostError('Timeout', 'LVM is busy with what was asked for before');
  } finally {
    ended.abort();
  }
}

const text = z.string().max(100_000);
const size = z
  .string()
  .regex(/^[0-9]{1,16}$/)
  .transform(Number);
/** LVM leaves empty what it does not know. */
const percent = z
  .string()
  .regex(/^(?:[0-9]{1,3}(?:\.[0-9]{1,6})?)?$/)
  .transform((digits) => (digits === '' ? null : Number(digits)));

const row = z.object({
  lv_name: text,
  lv_size: size,
  lv_tags: text,
  lv_attr: z.string().regex(/^[a-zA-Z-]{9,10}$/),
  lv_layout: text,
  lv_health_status: text,
  pool_lv: text,
  data_percent: percent,
  metadata_percent: percent,
  vg_extent_size: size,
  chunk_size: size,
});
const reportSchema = z.object({ report: z.tuple([z.object({ lv: z.array(row) })]) });

/** @throws HostError `Protocol` if it is no report */
export function groupIn(json: string): VolumeGroup {
  const parsed = reportSchema.safeParse(jsonOf(json));
  if (!parsed.success) {
    throw new HostError('Protocol', `lvs has said what is no report: ${parsed.error.message}`);
  }
  const rows = parsed.data.report[0].lv;
  return {
    // A group without a logical volume has no row, and no thin pool either.
    extentBytes: rows[0]?.vg_extent_size ?? 0,
    volumes: new Map(rows.map((each) => [each.lv_name, volumeIn(each)])),
  };
}

/** Of `lv_attr`: the first letter is the kind, the fifth the state, the eighth whether new blocks are zeroed (lvs(8)). */
function volumeIn(of: z.output<typeof row>): LogicalVolume {
  const layout = of.lv_layout.split(',');
  return {
    name: of.lv_name,
    sizeBytes: of.lv_size,
    tags: of.lv_tags === '' ? [] : of.lv_tags.split(','),
    pool: of.pool_lv === '' ? null : of.pool_lv,
    isThinPool: layout.includes('thin') && layout.includes('pool'),
    isZeroing: of.lv_attr[7] === 'z',
    chunkBytes: of.chunk_size,
    isOrigin: /^o/i.test(of.lv_attr),
    health: of.lv_health_status,
    isActive: of.lv_attr[4] === 'a',
    dataPercent: of.data_percent,
    metadataPercent: of.metadata_percent,
  };
}

function jsonOf(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
