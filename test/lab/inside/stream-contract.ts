/**
 * Run inside the lab's host: what a stream must do, over AF_VSOCK. Prints a line for each case, and fails if one does.
 *
 *   stream-contract.mjs loopback        both ends are here
 *   stream-contract.mjs CID             by way of a guest, which connects each connection on to here: `client.pl relay`
 */
import { dialVsock, listenVsock } from '../../../src/daemon/machine/vsock.ts';
import { type OpenWay, runStreamCase, streamCases } from '../../contract/stream-cases.ts';
import { ports } from '../streams.ts';

const loopbackCid = 1;
const [way = ''] = process.argv.slice(2);
const to =
  way === 'loopback'
    ? { cid: loopbackCid, port: ports.host }
    : { cid: Number(way), port: ports.guest };
/** A privileged port each; and what a small guest has processes for. */
const bounds = way === 'loopback' ? { atOnce: 400, queue: 100 } : { atOnce: 60, queue: 20 };

const open: OpenWay = async (onConnection) => {
  const listening = await listenVsock(ports.host, onConnection);
  return { dial: () => dialVsock(to.cid, to.port), close: () => listening.close() };
};

for (const each of streamCases) {
  try {
    await runStreamCase(each, open, bounds);
    process.stdout.write(`ok ${each.name}\n`);
  } catch (error) {
    process.exitCode = 1;
    process.stdout.write(`failed ${each.name}: ${String(error)}\n`);
  }
}
process.exit();
