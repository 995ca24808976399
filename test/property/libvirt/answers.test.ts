import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readAnswer } from '../../../src/libvirt/answer.ts';
import { eventTable, readEvent } from '../../../src/libvirt/events.ts';
import { connectProcedures } from '../../../src/libvirt/procedures-connect.ts';
import { domainProcedures } from '../../../src/libvirt/procedures-domain.ts';
import { tuningProcedures } from '../../../src/libvirt/procedures-domain-tuning.ts';
import { eventProcedures } from '../../../src/libvirt/procedures-events.ts';
import { networkProcedures } from '../../../src/libvirt/procedures-network.ts';
import { nwfilterProcedures } from '../../../src/libvirt/procedures-nwfilter.ts';
import { storageProcedures } from '../../../src/libvirt/procedures-storage.ts';
import { MalformedError } from '../../../src/libvirt/wire/malformed.ts';
import type { PacketHeader } from '../../../src/libvirt/wire/packet.ts';
import { noneBut, thrownBy } from './thrown-by.ts';

const procedures = [
  connectProcedures,
  domainProcedures,
  tuningProcedures,
  eventProcedures,
  networkProcedures,
  nwfilterProcedures,
  storageProcedures,
].flatMap((table) => Object.values(table));

/** Bytes that look more like XDR than noise does: many small words, some text, some garbage. */
const word = fc.oneof(
  fc.constantFrom(0, 1, 2, 3, 4, 5, 7, 16, 255, 0x7fff_ffff, 0xffff_ffff),
  fc.integer({ min: 0, max: 0xffff_ffff }),
);
const body = fc.oneof(
  fc.uint8Array({ maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
  fc.array(word, { maxLength: 100 }).map((words) => {
    const bytes = Buffer.alloc(words.length * 4);
    for (const [index, each] of words.entries()) bytes.writeUInt32BE(each, index * 4);
    return bytes;
  }),
);

function packetOf(bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.alloc(28), bytes]);
}

describe.each(procedures.map((each) => [each.name, each] as const))(
  'an answer to %s',
  (_, procedure) => {
    test('is read, or is malformed', () => {
      fc.assert(
        fc.property(body, fc.constantFrom('ok', 'error', 'continue'), (bytes, status) => {
          const header: PacketHeader = {
            program: 0x2000_8086,
            procedure: procedure.number,
            kind: 'reply',
            serial: 1,
            status,
          };
          expect(thrownBy(() => readAnswer(procedure, header, packetOf(bytes)))).toSatisfy(
            noneBut(MalformedError),
          );
        }),
        { numRuns: 300 },
      );
    });
  },
);

test('an event is read, or is malformed', () => {
  const numbers = Object.values(eventTable).map(({ procedure }) => procedure);
  fc.assert(
    fc.property(fc.constantFrom(...numbers), body, (procedure, bytes) => {
      expect(thrownBy(() => readEvent(procedure, packetOf(bytes)))).toSatisfy(
        noneBut(MalformedError),
      );
    }),
    { numRuns: 3000 },
  );
});

test('every procedure has a number and a name of its own', () => {
  expect(new Set(procedures.map(({ number }) => number)).size).toBe(procedures.length);
  expect(new Set(procedures.map(({ name }) => name)).size).toBe(procedures.length);
});
