/**
 * Run inside the lab's host: what a stream must do, over AF_VSOCK. Prints a line for each case, and fails if one does.
 *
 *   stream-contract.mjs loopback        both ends are here
 *   stream-contract.mjs CID             by way of a guest, which connects each connection on to here: `client.pl relay`
 */
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { dialVsock, listenVsock } from '../../../src/daemon/machine/vsock.ts';
import { type OpenWay, runStreamCase, streamCases } from '../../contract/stream-cases.ts';
import { caseSecondsMax, ports } from '../streams.ts';

const loopbackCid = 1;
const [way = ''] = process.argv.slice(2);
const to =
  way === 'loopback'
    ? { cid: loopbackCid, port: ports.host }
    : { cid: Number(way), port: ports.guest };
/** A privileged port each; and what a small guest has processes for. */
const bounds = way === 'loopback' ? { atOnce: 400, queue: 100 } : { atOnce: 60, queue: 20 };

/** The kernel gives a connection two seconds. */
const isLate = (error: unknown) => /timed out/i.test(String((error as Error).cause));
const dialsMax = 3;

async function dial(): Promise<Duplex> {
  for (let left = dialsMax - 1; ; left -= 1) {
    try {
      return await dialVsock(to.cid, to.port);
    } catch (error) {
      if (left === 0 || !isLate(error)) throw error;
    }
  }
}

const open: OpenWay = async (onConnection) => {
  const listening = await listenVsock(ports.host, onConnection);
  return { dial, close: () => listening.close() };
};

for (const each of streamCases) {
  try {
    const late = sleep(caseSecondsMax * 1000, 'late');
    const how = await Promise.race([runStreamCase(each, open, bounds), late]);
    if (how === 'late') {
      // It has the port that the next one needs.
      process.stdout.write(`failed ${each.name}: no end within ${caseSecondsMax} s\n`);
      process.exit(1);
    }
    process.stdout.write(`ok ${each.name}\n`);
  } catch (error) {
    process.exitCode = 1;
    process.stdout.write(`failed ${each.name}: ${String(error)}\n`);
  }
}
process.exit();
