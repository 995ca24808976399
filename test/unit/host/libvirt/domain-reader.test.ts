import { expect, test } from 'vitest';
import { domainReader } from '../../../../src/host/libvirt/domain-reader.ts';
import { diskPlaces } from '../../../../src/host/local/disk-places.ts';
import { ConnectionError, type ReadOnlyConnection } from '../../../../src/libvirt/index.ts';
import type { DomainRef } from '../../../../src/model/domain.ts';
import type { PartitionName } from '../../../../src/model/names.ts';

const uuid = '5f2a3c1e-7a41-4a5c-9a53-3a3f6d1e2b70';
const places = diskPlaces('/var/lib/unnest', 'demo' as PartitionName, null);
const web = { domainName: 'unnest.demo.web', uuid } as DomainRef;

/** Whose answers to the questions for XML all are this error. */
function failingWith(error: Error): ReadOnlyConnection {
  const domains = {
    list: async () => [],
    stats: async () => [],
    async *xmlAll() {
      yield { domain: { name: web.domainName, uuid, id: -1 }, error };
    },
  };
  return { domains, subscribe: async () => async () => undefined } as unknown as ReadOnlyConnection;
}

const read = (error: Error) =>
  domainReader(failingWith(error), places).read([web], new AbortController().signal);

test('a read that was broken off is no word about a domain', async () => {
  const given = new ConnectionError('aborted', 'domain_get_xml_desc was aborted');
  await expect(read(given)).rejects.toMatchObject({ code: 'Cancelled' });
});

test('an answer that fails leaves what it was about unknown', async () => {
  const late = new ConnectionError('timeout', 'no answer to domain_get_xml_desc within 10 ms');
  expect(await read(late)).toEqual([{ status: 'unknown', why: expect.stringContaining('10 ms') }]);
});
