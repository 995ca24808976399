/**
 * What the networks of every host must do behind the ports. A host that is simulated and a real
 * libvirt are held against the same lines.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { HostError } from '../../src/host/host-error.ts';
import type { Host, HostView } from '../../src/host/ports.ts';
import { bridgeName, networkName, networkUuid } from '../../src/model/identity.ts';
import type { PartitionName, SecondaryName } from '../../src/model/names.ts';
import {
  addressAt,
  type NetworkDefinition,
  type NetworkFields,
  type NetworkRef,
  type ObservedNetwork,
  type Reservation,
} from '../../src/model/network.ts';
import { installation } from '../support/passes.ts';

/** A host without networks of the partitions `net-1`, `net-2` and so on. */
export interface NetworkSubject {
  readonly host: Pick<Host, 'networks'>;
  readonly view: Pick<HostView, 'networks'>;
  /** What a person beside us does: defines a network of that name, without our mark. */
  readonly makeForeign: (networkName: string) => Promise<void>;
  /** And takes that name out of the DNS of the definition, but leaves its address reserved. */
  readonly spoil: (ref: NetworkRef, name: SecondaryName, address: string) => Promise<void>;
  readonly dispose: () => Promise<void>;
}

const never = new AbortController().signal;
const over = AbortSignal.abort();
const web = 'web' as SecondaryName;
const data = 'db' as SecondaryName;

/** The reason goes first, so that a wrong one is seen beside the right one. */
const refusal = async (call: Promise<unknown>) => {
  const error: unknown = await call.then(
    () => null,
    (reason: unknown) => reason,
  );
  return error instanceof HostError ? error.code : error;
};

export function describeNetworkContract(
  what: string,
  makeSubject: () => Promise<NetworkSubject>,
): void {
  describe(`the network contract of ${what}`, () => {
    let subject: NetworkSubject;
    let count = 0;
    const networks = () => subject.host.networks;

    /** The network of this test. */
    const definition = (fields: Partial<NetworkFields> = {}): NetworkDefinition => {
      const owner = { installation, partition: `net-${count}` as PartitionName };
      return {
        uuid: networkUuid(owner),
        networkName: networkName(owner.partition),
        owner,
        bridge: bridgeName(owner),
        fields: {
          cidr: `10.231.${count}.0/24`,
          mode: 'isolated',
          uplink: null,
          portIsolation: false,
          egress: null,
          networkBytesPerSecond: null,
          ...fields,
        },
      };
    };
    const define = async (fields: Partial<NetworkFields> = {}) => {
      const made = definition(fields);
      await networks().define(made, never);
      return made;
    };
    const started = async (fields: Partial<NetworkFields> = {}) => {
      const made = await define(fields);
      await networks().start(made, never);
      return made;
    };
    const look = async (ref: NetworkRef): Promise<ObservedNetwork | null> => {
      const seen = await networks().find(ref, never);
      if (seen.status === 'unknown') throw new Error(seen.why);
      return seen.status === 'present' ? seen.value : null;
    };
    const reserved = async (ref: NetworkRef) => {
      const seen = await look(ref);
      return Object.fromEntries(seen?.reservations ?? []);
    };
    /** @param index of the address in the subnet; the MAC follows from it unless it is given */
    const at = (index: number, mac = index): Reservation => ({
      mac: `52:00:00:00:00:${String(mac).padStart(2, '0')}`,
      address: addressAt(definition().fields.cidr, index),
    });
    const reserve = (ref: NetworkRef, name: SecondaryName, reservation: Reservation) =>
      networks().reserve(ref, name, reservation, never);

    beforeAll(async () => {
      subject = await makeSubject();
    });
    afterAll(() => subject.dispose());
    beforeEach(() => {
      count += 1;
    });
    afterEach(async () => {
      await refusal(networks().stop(definition(), never));
      await refusal(networks().undefine(definition(), never));
    });

    describe('a definition', () => {
      test.each<Partial<NetworkFields>>([
        { mode: 'isolated' },
        { mode: 'nat' },
        { mode: 'nat', uplink: 'eth7' },
        { mode: 'routed', uplink: 'eth7', portIsolation: true },
        { mode: 'nat', egress: '', networkBytesPerSecond: 2 ** 34 },
        { mode: 'nat', egress: '1.1.1.1/32 tcp 443, 10.0.0.0/8', networkBytesPerSecond: 1025 },
        { mode: 'routed' },
        { cidr: '10.231.200.64/26' },
      ])('of %j is read back as it was asked for, and is not active', async (fields) => {
        const made = await define(fields);
        expect(await look(made)).toEqual({
          uuid: made.uuid,
          networkName: made.networkName,
          owner: made.owner,
          active: false,
          defined: made.fields,
          live: null,
          lastApplied: made.fields,
          reservations: new Map(),
          stray: [],
          leases: new Map(),
          taken: [],
          fingerprint: expect.any(String),
        });
      });

      test('replaces the one that is there, and keeps its reservations', async () => {
        const made = await define();
        await reserve(made, web, at(2));
        const other = await define({
          mode: 'nat',
          uplink: 'eth7',
          portIsolation: false,
          egress: null,
          networkBytesPerSecond: null,
        });
        expect(await look(made)).toMatchObject({
          defined: other.fields,
          lastApplied: other.fields,
        });
        expect(await reserved(made)).toEqual({ web: at(2) });
        const last = await define();
        expect(await look(made)).toMatchObject({ defined: last.fields });
        expect(await reserved(made)).toEqual({ web: at(2) });
      });

      test('of another subnet keeps only what is in that one too', async () => {
        const made = await define();
        await reserve(made, web, at(2));
        await reserve(made, data, at(70));
        await define({ cidr: `10.231.${count}.64/26` });
        expect(await reserved(made)).toEqual({ db: at(70) });
        expect(await look(made)).toMatchObject({ stray: [] });
        await define({ cidr: '10.231.201.0/24' });
        expect(await look(made)).toMatchObject({ reservations: new Map(), stray: [] });
      });

      test('has a fingerprint of its content, whatever is reserved', async () => {
        const made = await define();
        const fingerprint = async () => (await look(made))?.fingerprint;
        const first = await fingerprint();
        await reserve(made, web, at(2));
        expect(await fingerprint()).toBe(first);
        await networks().unreserve(made, web, never);
        expect(await fingerprint()).toBe(first);
        await networks().start(made, never);
        await reserve(made, web, at(2));
        expect(await fingerprint()).toBe(first);
        await define({ mode: 'nat' });
        expect(await fingerprint()).not.toBe(first);
        await define();
        expect(await fingerprint()).toBe(first);
      });

      test('does not touch the network that is running', async () => {
        const made = await started();
        await reserve(made, web, at(2));
        const other = await define({ mode: 'nat' });
        expect(await look(made)).toMatchObject({ active: true, defined: other.fields, stray: [] });
        expect(await reserved(made)).toEqual({ web: at(2) });
        await networks().stop(made, never);
        await networks().start(made, never);
        expect(await look(made)).toMatchObject({ active: true, defined: other.fields });
      });

      test('under a name that a foreign network has is refused, and that one is found', async () => {
        const wanted = definition();
        await subject.makeForeign(wanted.networkName);
        const foreign = await look(wanted);
        expect(foreign).toMatchObject({ networkName: wanted.networkName, owner: null });
        expect(foreign?.uuid).not.toBe(wanted.uuid);
        expect(await refusal(networks().define(wanted, never))).toBe('Refused');
        expect(await look(wanted)).toEqual(foreign);
        if (foreign !== null) await networks().undefine(foreign, never);
        expect(await look(wanted)).toBeNull();
      });
    });

    describe('its life', () => {
      test('is defined, started, stopped and undefined', async () => {
        const made = await define();
        await networks().start(made, never);
        expect(await look(made)).toMatchObject({ active: true, defined: made.fields });
        await networks().stop(made, never);
        expect(await look(made)).toMatchObject({ active: false, defined: made.fields });
        await networks().undefine(made, never);
        expect(await look(made)).toBeNull();
      });

      test('goes on without a definition until it is stopped', async () => {
        const made = await started();
        await reserve(made, web, at(2));
        await networks().undefine(made, never);
        expect(await look(made)).toMatchObject({
          active: true,
          owner: made.owner,
          defined: null,
          lastApplied: null,
        });
        await networks().stop(made, never);
        expect(await look(made)).toBeNull();
      });

      test('can be given its definition back', async () => {
        const made = await started();
        await networks().undefine(made, never);
        await define();
        expect(await look(made)).toMatchObject({ active: true, defined: made.fields });
        await networks().stop(made, never);
        expect(await look(made)).toMatchObject({ active: false, defined: made.fields });
      });
    });

    describe('what is not there, or not in the state for it, is refused', () => {
      test('of an absent network everything', async () => {
        const ref = definition();
        expect(await look(ref)).toBeNull();
        expect(await refusal(networks().start(ref, never))).toBe('Refused');
        expect(await refusal(networks().stop(ref, never))).toBe('Refused');
        expect(await refusal(networks().undefine(ref, never))).toBe('Refused');
        expect(await refusal(reserve(ref, web, at(2)))).toBe('Refused');
        expect(await refusal(networks().unreserve(ref, web, never))).toBe('Refused');
        expect(await look(ref)).toBeNull();
      });

      test('of an inactive one to stop it, of an active one to start it', async () => {
        const made = await define();
        expect(await refusal(networks().stop(made, never))).toBe('Refused');
        await networks().start(made, never);
        expect(await refusal(networks().start(made, never))).toBe('Refused');
        expect(await look(made)).toMatchObject({ active: true });
      });

      test('whatever it is, once the signal has fired, and without effect', async () => {
        const made = await define();
        await reserve(made, data, at(3));
        const before = await look(made);
        const calls: readonly Promise<unknown>[] = [
          networks().find(made, over),
          networks().define(definition({ mode: 'nat' }), over),
          networks().start(made, over),
          networks().stop(made, over),
          networks().undefine(made, over),
          networks().reserve(made, web, at(2), over),
          networks().unreserve(made, data, over),
        ];
        const codes = await Promise.all(calls.map(refusal));
        expect(codes).toEqual(calls.map(() => 'Cancelled'));
        expect(await look(made)).toEqual(before);
      });
    });

    describe.each([
      ['an inactive network', () => define()],
      ['an active network', () => started()],
      ['an active network behind NAT', () => started({ mode: 'nat' })],
    ])('reservations in %s', (_what, make) => {
      test('come and go, each by its name', async () => {
        const made = await make();
        await reserve(made, web, at(2));
        await reserve(made, data, at(3));
        expect(await reserved(made)).toEqual({ web: at(2), db: at(3) });
        await networks().unreserve(made, web, never);
        expect(await reserved(made)).toEqual({ db: at(3) });
        await networks().unreserve(made, data, never);
        expect(await look(made)).toMatchObject({ reservations: new Map(), stray: [] });
      });

      test('are there once, however often they are asked for', async () => {
        const made = await make();
        await reserve(made, web, at(2));
        const once = await look(made);
        await reserve(made, web, at(2));
        expect(await look(made)).toEqual(once);
        await networks().unreserve(made, data, never);
        expect(await look(made)).toEqual(once);
        await networks().unreserve(made, web, never);
        await networks().unreserve(made, web, never);
        expect(await reserved(made)).toEqual({});
      });

      test('replace the one of the same name', async () => {
        const made = await make();
        await reserve(made, web, at(2));
        await reserve(made, data, at(3));
        for (const next of [at(4, 2), at(4, 5), at(6)]) {
          await reserve(made, web, next);
          expect(await reserved(made)).toEqual({ web: next, db: at(3) });
          expect(await look(made)).toMatchObject({ stray: [] });
        }
      });

      test('of what another name has are refused, and nobody loses anything', async () => {
        const made = await make();
        await reserve(made, web, at(2));
        await reserve(made, data, at(3));
        const before = await look(made);
        expect(await refusal(reserve(made, web, at(3, 2)))).toBe('Refused');
        expect(await refusal(reserve(made, web, at(2, 3)))).toBe('Refused');
        expect(await look(made)).toEqual(before);
      });

      test('outlive stopping and starting', async () => {
        const made = await make();
        await reserve(made, web, at(2));
        await refusal(networks().stop(made, never));
        expect(await reserved(made)).toEqual({ web: at(2) });
        await networks().start(made, never);
        expect(await reserved(made)).toEqual({ web: at(2) });
      });

      test('that are only half there are stray, and are mended or taken away', async () => {
        const made = await make();
        await reserve(made, web, at(2));
        await reserve(made, data, at(3));
        await subject.spoil(made, web, at(2).address);
        expect(await look(made)).toMatchObject({ stray: ['web'] });
        expect(await reserved(made)).toEqual({ db: at(3) });
        await reserve(made, web, at(2));
        expect(await look(made)).toMatchObject({ stray: [] });
        expect(await reserved(made)).toEqual({ web: at(2), db: at(3) });
        await subject.spoil(made, web, at(2).address);
        await networks().unreserve(made, web, never);
        expect(await look(made)).toMatchObject({ stray: [] });
        expect(await reserved(made)).toEqual({ db: at(3) });
      });
    });

    test('a view shows the same as a host, and cannot write', async () => {
      const made = await started();
      await reserve(made, web, at(2));
      const { view } = subject;
      expect(await view.networks.find(made, never)).toEqual(await networks().find(made, never));
      expect(Object.keys(view.networks)).toEqual(['find']);
    });
  });
}
