/**
 * From a file that is renamed into a partition's folder to the first call that libvirtd gets for it:
 * the daemon notices, a warm worker reads the documents, they are written down durably (on the disk
 * of this checkout, since what is in memory would cost nothing), and a pass begins. Each change comes
 * while the daemon rests, and changes nothing that a guest has.
 */
import { mkdirSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { daemonPlace } from '../../support/daemon.ts';
import { synced } from '../../support/daemon-says.ts';
import { editedDocument } from '../edited-document.ts';
import { openProxy } from '../libvirt-proxy.ts';
import { sockets } from '../raw-rpc.ts';
import { type Row, rowOf } from '../row.ts';

const changes = 200;
/** More than it is after which a change counts as one that comes alone. */
const restMs = 700;

const cache = fileURLToPath(new URL('../../../.cache', import.meta.url));
const proxyPath = '/run/bench-libvirt.sock';

export async function daemonFile(): Promise<readonly Row[]> {
  mkdirSync(cache, { recursive: true });
  const proxy = await openProxy(proxyPath, sockets.readWrite);
  const place = daemonPlace({
    logLevel: 'info',
    spec: [`host: qemu:///system?socket=${proxyPath}`],
    folder: cache,
  });
  place.describe('bench-file');
  try {
    place.write('bench-file', editedDocument(0));
    const daemon = await place.start();
    await synced(daemon, 'bench-file', ['vm']);
    // Until it has rested so long that what is there counts as all there is to be.
    await sleep(4000);
    const values: number[] = [];
    for (let change = 1; change <= changes; change += 1) {
      const call = proxy.nextCall();
      values.push(await measured(() => place.write('bench-file', editedDocument(change)), call));
      await sleep(restMs + (change % 10) * 10);
    }
    const accepted = daemon.lines('submission-accepted').length;
    if (accepted !== changes + 1) throw new Error(`${accepted} were accepted of ${changes + 1}`);
    const samples = { values };
    const target = { of: 'value', max: 50 } as const;
    return [
      rowOf({ name: 'daemon-file-to-read, p50', samples }, null),
      rowOf({ name: 'daemon-file-to-read, p99', samples, percentile: 99, target }, null),
    ];
  } finally {
    await place.end();
    proxy.close();
    rmSync(place.at(''), { recursive: true, force: true });
  }
}

async function measured(write: () => void, call: Promise<number>): Promise<number> {
  const startedMs = performance.now();
  write();
  return (await call) - startedMs;
}
