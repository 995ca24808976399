/** nftables' own program: it speaks to the kernel, and in JSON to us. */
import * as z from 'zod';
import { HostError } from '../host-error.ts';
import { runProgram } from './run-program.ts';

const tables = z.object({
  nftables: z.array(
    z.object({ table: z.object({ family: z.string(), name: z.string() }).optional() }),
  ),
});

export function listTable(family: string, table: string, signal: AbortSignal): Promise<string> {
  return nft(['-j', 'list', 'table', family, table], '', signal);
}

/** In which families there is a table of that name. */
export async function listTables(table: string, signal: AbortSignal): Promise<ReadonlySet<string>> {
  const text = await nft(['-j', 'list', 'tables'], '', signal);
  const listed = tables.parse(JSON.parse(text)).nftables;
  return new Set(listed.flatMap((each) => (each.table?.name === table ? [each.table.family] : [])));
}

/** All of it at one moment, or nothing of it. */
export async function runScript(script: string, signal: AbortSignal): Promise<void> {
  await nft(['-f', '-'], script, signal);
}

/** Whether the kernel would take it, without it doing so. @throws HostError if it would not */
export async function checkScript(script: string, signal: AbortSignal): Promise<void> {
  await nft(['-c', '-f', '-'], script, signal);
}

/** @throws HostError where that cannot be known */
export async function tellsBridge(signal: AbortSignal): Promise<boolean> {
  const chain = 'add table bridge un_probe\nadd chain bridge un_probe forward\n';
  try {
    await checkScript(`${chain}add rule bridge un_probe forward meta ibrname "un-probe"`, signal);
    return true;
  } catch (error) {
    if (error instanceof HostError && error.code === 'Unsupported') return false;
    throw error;
  }
}

async function nft(args: readonly string[], input: string, signal: AbortSignal): Promise<string> {
  try {
    return await runProgram({
      command: 'nft',
      args,
      input,
      remedy: 'apt-get install nftables',
      timeLimitMs: 20_000,
      // A table of 65,000 ports is about 20 MiB.
      outputBytesMax: 64 * 2 ** 20,
      signal,
    });
  } catch (error) {
    throw error instanceof HostError ? explained(error) : error;
  }
}

/** What the kernel says by a number, in words that say what to do. */
function explained(error: HostError): HostError {
  const said = error.cause instanceof Error ? error.cause.message : '';
  if (/not supported/i.test(said)) {
    const message =
      'the kernel lacks what the packet filter needs: nf_tables for the families bridge, arp and inet, with connection tracking';
    return new HostError('Unsupported', message, { cause: error });
  }
  if (/not permitted/i.test(said)) {
    return new HostError('PermissionDenied', 'only root sees the packet filter', { cause: error });
  }
  return error;
}
