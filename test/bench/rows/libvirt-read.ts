/** Reading everything about 1,000 domains through our client, against the bare exchange. */
import { libvirt } from '../built.ts';
import { subject, takeTurns } from '../measure.ts';
import type { Partition } from '../partition.ts';
import * as raw from '../raw-rpc.ts';
import { type Row, rowOf } from '../row.ts';

const count = 1000;
/** Our client's own limit per socket. */
const inFlightMax = 4;
const inactiveXml = 2;

export async function libvirtRead(partition: Partition): Promise<readonly Row[]> {
  await partition.converge({ count, runPolicy: 'Halted' });
  const connection = await libvirt.connectReadOnly();
  const socket = await raw.openRaw(raw.sockets.readOnly);
  try {
    const calls = rawCalls(await connection.domains.list());
    const list = raw.call(raw.procedures.list, raw.u32(1), raw.u32(0));
    const [ours, floor] = await takeTurns(
      [
        subject('our client', () => readAll(connection), { check: requireAll }),
        subject('raw RPC', async () => {
          await raw.exchange(socket, [list], 1);
          return raw.exchange(socket, calls, inFlightMax);
        }),
      ],
      { count: 9, warmUps: 2 },
    );
    if (ours === undefined || floor === undefined) throw new Error('nothing was measured');
    const target = { of: 'ratio', max: 1.3 } as const;
    return [
      rowOf(
        { name: 'libvirt-read-1000', samples: ours, target },
        { name: 'raw pipelined RPC', samples: floor },
      ),
    ];
  } finally {
    socket.destroy();
    connection.close();
  }
}

type Connection = Awaited<ReturnType<typeof libvirt.connectReadOnly>>;

async function readAll({ domains }: Connection) {
  const handles = await domains.list();
  const [stats, infos, xml] = await Promise.all([
    domains.stats(),
    Promise.all(handles.map((each) => domains.info(each))),
    collect(domains.xmlAll(handles, { inactive: true })),
  ]);
  return { stats, infos, xml };
}

async function collect<T>(items: AsyncIterable<T>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

function requireAll({ stats, infos, xml }: Awaited<ReturnType<typeof readAll>>): void {
  const texts = xml.flatMap((each) => ('ok' in each ? [each.ok] : []));
  if ([stats, infos, texts].every(({ length }) => length === count)) return;
  throw new Error(
    `read ${stats.length} stats, ${infos.length} infos and ${texts.length} XML texts`,
  );
}

/** The calls of `readAll` after its list, in the same order. */
export function rawCalls(
  handles: readonly { readonly name: string; readonly uuid: string }[],
): readonly Buffer[] {
  const { stats, info, xml } = raw.procedures;
  return [
    raw.call(stats, raw.u32(0), raw.u32(0), raw.u32(0)),
    ...handles.map((each) => raw.call(info, raw.domain(each))),
    ...handles.map((each) => raw.call(xml, raw.domain(each), raw.u32(inactiveXml))),
  ];
}
