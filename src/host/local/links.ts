/** The interfaces of this machine, by iproute2's `ip`: it speaks to the kernel, and in JSON to us. */
import * as z from 'zod';
import { HostError } from '../host-error.ts';
import type { Link, LinkRoute, Links } from '../links.ts';
import { runProgram } from './run-program.ts';

const listed = z.array(
  z.object({
    ifindex: z.number(),
    ifname: z.string(),
    flags: z.array(z.string()),
    address: z.string().default(''),
    master: z.string().optional(),
    ifalias: z.string().default(''),
    linkinfo: z.object({ info_kind: z.string().optional() }).optional(),
    addr_info: z.array(
      z.object({
        family: z.string(),
        local: z.string().optional(),
        prefixlen: z.number().optional(),
        dynamic: z.boolean().optional(),
      }),
    ),
  }),
);

const routed = z.array(z.object({ dst: z.string(), dev: z.string().optional() }));

/** Kinds that are made over other interfaces, as the kernel calls them. */
const stackedKinds: ReadonlySet<string> = new Set([
  'bond',
  'bridge',
  'hsr',
  'ipvlan',
  'ipvtap',
  'macsec',
  'macvlan',
  'macvtap',
  'team',
  'vlan',
  'vrf',
]);

export function machineLinks(): Links {
  const set = async (args: readonly string[], signal: AbortSignal) => void (await ip(args, signal));
  return {
    // Not only of IPv4: interfaces without an address would be left out.
    list: async (signal) =>
      parsed(listed, await ip(['-json', '-details', 'address', 'show'], signal)).map(linkOf),
    routes: async (signal) =>
      parsed(routed, await ip(['-json', '-4', 'route', 'show', 'table', 'main'], signal)).flatMap(
        routeOf,
      ),
    bringUp: (link, signal) => set(['link', 'set', 'dev', link, 'up'], signal),
    note: (link, note, signal) => set(['link', 'set', 'dev', link, 'alias', note], signal),
    addAddress: (link, cidr, signal) => set(['address', 'add', cidr, 'dev', link], signal),
    removeAddress: (link, cidr, signal) => set(['address', 'delete', cidr, 'dev', link], signal),
  };
}

function linkOf(shown: z.output<typeof listed>[number]): Link {
  return {
    index: shown.ifindex,
    name: shown.ifname,
    mac: shown.address.toLowerCase(),
    isUp: shown.flags.includes('UP'),
    isStacked: stackedKinds.has(shown.linkinfo?.info_kind ?? ''),
    master: shown.master ?? null,
    note: shown.ifalias,
    addresses: shown.addr_info.flatMap(({ family, local, prefixlen, dynamic }) =>
      family === 'inet' && local !== undefined && prefixlen !== undefined
        ? [{ cidr: `${local}/${prefixlen}`, isLeased: dynamic ?? false }]
        : [],
    ),
  };
}

function routeOf({ dst, dev }: z.output<typeof routed>[number]): readonly LinkRoute[] {
  return dst === 'default' ? [] : [{ to: dst, link: dev ?? null }];
}

function parsed<T>(schema: z.ZodType<T>, text: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new HostError('Protocol', 'ip has said something else than it was asked for', { cause });
  }
}

async function ip(args: readonly string[], signal: AbortSignal): Promise<string> {
  try {
    return await runProgram({
      command: 'ip',
      args,
      remedy: 'apt-get install iproute2',
      timeLimitMs: 10_000,
      // Of a thousand interfaces, about 1 MiB.
      outputBytesMax: 16 * 2 ** 20,
      signal,
    });
  } catch (error) {
    throw error instanceof HostError ? explained(error, args) : error;
  }
}

function explained(error: HostError, args: readonly string[]): HostError {
  const said = error.cause instanceof Error ? error.cause.message : '';
  if (!/not permitted/i.test(said)) return error;
  const message = `ip ${args.join(' ')} takes CAP_NET_ADMIN`;
  return new HostError('PermissionDenied', message, { cause: error.cause });
}
