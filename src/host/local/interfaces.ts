/** The host's interfaces, as far as it takes to tell by which of them something leaves: sysfs and procfs. */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { NicWay } from '../../model/uplink.ts';
import { attempt } from './attempt.ts';
import { hasErrno } from './io-error.ts';

/** Where things are on a machine; a test has them elsewhere. */
export interface InterfacePlaces {
  readonly net: string;
  readonly routes: string;
}

const machine: InterfacePlaces = { net: '/sys/class/net', routes: '/proc/net/route' };

export interface Interfaces {
  /** Where a port of that bridge leads. */
  ofBridge(bridge: string, signal: AbortSignal): Promise<NicWay>;
  ofTap(tap: string, signal: AbortSignal): Promise<NicWay>;
  /** By what the host leaves itself. */
  ofHost(signal: AbortSignal): Promise<NicWay>;
}

export function localInterfaces(places: InterfacePlaces = machine): Interfaces {
  const ofHost = async () => wayByRoute(await readFile(places.routes, 'utf8'));
  const ofBridge = async (bridge: string): Promise<NicWay> => {
    const ports = await listed(join(places.net, bridge, 'brif'));
    if (ports === null) return { kind: 'untold', why: `there is no bridge ${bridge}` };
    const leading = await Promise.all(ports.map((port) => leadsOut(join(places.net, port))));
    // Without a cable of its own, it is the host that routes what comes from it.
    return leading.includes(true) ? leavesBy(bridge) : ofHost();
  };
  return {
    ofHost: (signal) => attempt('reading the routes of the host', signal, ofHost),
    ofBridge: (bridge, signal) =>
      attempt(`reading the ports of bridge ${bridge}`, signal, () => ofBridge(bridge)),
    ofTap: (tap, signal) =>
      attempt(`reading where ${tap} is plugged in`, signal, async () => {
        const bridge = await linked(join(places.net, tap, 'master'));
        if (bridge !== null) return ofBridge(bridge);
        return { kind: 'untold', why: `${tap} is in no bridge` };
      }),
  };
}

/** IFNAMSIZ of Linux, and nothing that would mean more than itself in a rule. */
const INTERFACE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$/;

export function leavesBy(device: string): NicWay {
  if (INTERFACE.test(device)) return { kind: 'leaves', by: device };
  return { kind: 'untold', why: `no rule can name ${JSON.stringify(device)}` };
}

const RTF_UP = 1;
const RTF_REJECT = 0x200;

/** The kernel's IPv4 routes, one a line: the interface, then numbers in hexadecimal, the metric as a decimal. */
function wayByRoute(text: string): NicWay {
  const lines = text.trim().split('\n').slice(1);
  const [first] = lines
    .map((line) => line.trim().split(/\s+/))
    .map(([device = '', destination, , flags = '', , , metric, mask]) => {
      return { device, destination, mask, flags: parseInt(flags, 16), metric: Number(metric) };
    })
    .filter(
      ({ destination, mask }) => Number(`0x${destination}`) === 0 && Number(`0x${mask}`) === 0,
    )
    .filter(({ flags }) => (flags & RTF_UP) !== 0 && (flags & RTF_REJECT) === 0)
    .sort((a, b) => a.metric - b.metric);
  if (first !== undefined) return leavesBy(first.device);
  return { kind: 'untold', why: 'the host has no default route' };
}

/** A cable, or what is made of cables: a bond, a VLAN. Not a guest's tap, nor a container's end. */
async function leadsOut(folder: string): Promise<boolean> {
  const entries = (await listed(folder)) ?? [];
  return entries.some((entry) => entry === 'device' || entry.startsWith('lower_'));
}

/** Null: there is none. */
async function listed(folder: string): Promise<readonly string[] | null> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return null;
    throw error;
  }
}

async function linked(link: string): Promise<string | null> {
  try {
    return basename(await readlink(link));
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return null;
    throw error;
  }
}
