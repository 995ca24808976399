/**
 * Defining 200 domains by `unnest apply`, which also reads each before and after, against nothing
 * but the calls that define them. Each turn begins without a domain.
 */
import {
  diff,
  execute,
  makePlan,
  observe,
  openLibvirtHost,
  parseDocuments,
  planOptionsOf,
  writeDomainXml,
} from '../built.ts';
import { storeLayout } from '../../../src/host/local/layout.ts';
import { filesOf } from '../../../src/model/secondary.ts';
import { subject, takeTurns } from '../measure.ts';
import { documentsOf, type Partition, removeDomains, requireConverged } from '../partition.ts';
import { runProgram } from '../program.ts';
import * as raw from '../raw-rpc.ts';
import { type Row, rowOf } from '../row.ts';

const wanted = { count: 200, runPolicy: 'Halted' } as const;
/** Of calls for the one, of operations for the other: both as on the command line. */
const inFlightMax = 4;

export async function define(partition: Partition): Promise<readonly Row[]> {
  // Also records the installation's id, so that the turns define and do nothing else.
  await partition.converge(wanted);
  await removeDomains();
  const calls = await rawCalls(partition);
  const socket = await raw.openRaw(raw.sockets.readWrite);
  const around = {
    check: async () => requireConverged((await runProgram(partition.plan))(), wanted.count),
    after: removeDomains,
  };
  try {
    const [whole, inProcess, floor] = await takeTurns(
      [
        subject('unnest apply', () => runProgram(partition.apply), around),
        subject('in process', () => applyInProcess(partition), around),
        subject('raw RPC', () => raw.exchange(socket, calls, inFlightMax), around),
      ],
      { count: 5, warmUps: 1 },
    );
    if (!whole || !inProcess || !floor) throw new Error('nothing was measured');
    const baseline = { name: 'raw pipelined RPC, define only', samples: floor };
    const target = { of: 'ratio', max: 1.2 } as const;
    return [
      rowOf({ name: 'define-200', samples: whole }, baseline),
      rowOf({ name: 'define-200-in-process', samples: inProcess, target }, baseline),
    ];
  } finally {
    socket.destroy();
    await removeDomains();
  }
}

type Host = Awaited<ReturnType<typeof openLibvirtHost>>['host'];

async function planOf({ name }: Partition, host: Host) {
  const parsed = parseDocuments([{ path: '-', text: documentsOf(wanted) }], name);
  if (!parsed.ok) throw new Error('the documents of the bench are not valid');
  const { desired } = parsed;
  const newInstallation = await host.installation.read();
  if (newInstallation === null) throw new Error('no installation id has been recorded');
  const { signal } = new AbortController();
  const names = new Set(desired.secondaries.keys());
  const files = new Set([...desired.secondaries.values()].flatMap(({ boot }) => filesOf(boot)));
  const none = {
    volumes: new Set<never>(),
    images: new Set<never>(),
    seeds: new Set<never>(),
    catalogue: new Set<never>(),
  };
  const request = {
    partition: name,
    wanted: names,
    ...none,
    files,
    withCid: new Set<never>(),
    primary: null,
    newInstallation,
    signal,
  };
  const observed = await observe(host, request);
  return makePlan(diff(desired, observed), observed, planOptionsOf({ maxDeletions: 10 }));
}

async function applyInProcess(partition: Partition): Promise<void> {
  const opened = await openHost(partition);
  try {
    await execute(await planOf(partition, opened.host), opened.host, {
      seedContents: new Map(),
      inFlightMax,
      stop: new AbortController().signal,
      abort: new AbortController().signal,
      now: () => performance.now(),
      onStart: () => undefined,
      onOutcome: () => undefined,
    });
  } finally {
    await opened.close();
  }
}

function openHost({ name, stateDir }: Partition) {
  return openLibvirtHost(
    { uri: 'qemu:///system', stateDir, partition: name },
    new AbortController().signal,
  );
}

/** The XML that `apply` sends and, as there, without having libvirt check it against its schema. */
async function rawCalls(partition: Partition): Promise<readonly Buffer[]> {
  const noFlags = raw.u32(0);
  const opened = await openHost(partition);
  try {
    const { operations } = await planOf(partition, opened.host);
    return operations.flatMap((operation) => {
      if (operation.kind !== 'domain.define') return [];
      const xml = writeDomainXml(
        operation.definition,
        null,
        storeLayout(partition.stateDir, partition.name),
      );
      return [raw.call(raw.procedures.define, raw.string(xml), noFlags)];
    });
  } finally {
    await opened.close();
  }
}
