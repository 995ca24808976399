import { expect, test } from 'vitest';
import { domainReader } from '../../../../src/host/libvirt/domain-reader.ts';
import { diskPlaces } from '../../../../src/host/local/disk-places.ts';
import { ConnectionError, type ReadOnlyConnection } from '../../../../src/libvirt/index.ts';
import type { DomainRef } from '../../../../src/model/domain.ts';
import type { PartitionName, VolumeName } from '../../../../src/model/names.ts';

const uuid = '5f2a3c1e-7a41-4a5c-9a53-3a3f6d1e2b70';
const places = diskPlaces('/var/lib/unnest', 'demo' as PartitionName, null);
const web = { domainName: 'unnest.demo.web', uuid } as DomainRef;

/** Whose answers to the questions for XML all are this. */
function answering(result: { readonly error: Error } | { readonly ok: string }) {
  const domain = { name: web.domainName, uuid, id: -1 };
  const params = new Map([['state.state', 5]]);
  const domains = {
    list: async () => [],
    stats: async () => [{ domain, params }],
    async *xmlAll() {
      yield { domain, ...result };
    },
  };
  return { domains, subscribe: async () => async () => undefined } as unknown as ReadOnlyConnection;
}

const read = (error: Error) =>
  domainReader(answering({ error }), places).read([web], new AbortController().signal);

test('a read that was broken off is no word about a domain', async () => {
  const given = new ConnectionError('aborted', 'domain_get_xml_desc was aborted');
  await expect(read(given)).rejects.toMatchObject({ code: 'Cancelled' });
});

test('an answer that fails leaves what it was about unknown', async () => {
  const late = new ConnectionError('timeout', 'no answer to domain_get_xml_desc within 10 ms');
  expect(await read(late)).toEqual([{ status: 'unknown', why: expect.stringContaining('10 ms') }]);
});

test('one with a disk of which it cannot be known where it is, is unknown', async () => {
  const xml = `<domain><devices><disk><alias name='ua-volume-data'/></disk></devices></domain>`;
  const { layout } = await places.located([]);
  const lost = {
    located: async (names: readonly string[]) => {
      return { layout, unknown: new Map(names.map((name) => [name as VolumeName, 'EIO'])) };
    },
  };
  const seen = await domainReader(answering({ ok: xml }), lost).read(
    [web],
    new AbortController().signal,
  );
  expect(seen).toEqual([{ status: 'unknown', why: expect.stringContaining('EIO') }]);
});
