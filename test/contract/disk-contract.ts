/** What every host must do about the disks of a guest that runs: the same lines for all. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { HostError } from '../../src/host/host-error.ts';
import {
  type DomainRef,
  fieldsOf,
  type ObservedDomain,
  type Platform,
} from '../../src/model/domain.ts';
import { domainName, secondaryUuid } from '../../src/model/identity.ts';
import type { VolumeName } from '../../src/model/names.ts';
import type { Secondary } from '../../src/model/secondary.ts';
import { useOf } from '../../src/model/volume.ts';
import { installation, secondary, volume } from '../support/passes.ts';
import type { Subject } from './host-contract.ts';

const never = new AbortController().signal;
const volumes = ['a', 'b', 'c'].map((name) => volume(name, { sizeBytes: 2 ** 20 }));
/** What makes a Linux guest deaf for devices that come and go. */
export const deaf = 'acpiphp.disable=1 pcie_ports=compat';

export function describeDiskContract(what: string, makeSubject: () => Promise<Subject>): void {
  describe(`the disks of a running guest on ${what}`, () => {
    let subject: Subject;
    let platform: Platform;
    let count = 0;
    let name = '';
    const domains = () => subject.host.domains;

    /** The domain of this test, or another one. */
    const define = async (disks: string, words = '', of = name): Promise<DomainRef> => {
      const commandLine = `console=ttyS0 quiet unnest.name=${of} ${words}`.trim();
      const boot = { kind: 'kernel', kernel: 'vmlinuz', initrd: 'initrd.img', commandLine };
      const wanted = secondary(of, {
        boot: boot as Secondary['boot'],
        disks: volumes.filter((each) => disks.includes(each.name)).map(useOf),
      });
      const owner = { installation, partition: subject.partition, secondary: wanted.name };
      const ref = {
        uuid: secondaryUuid(owner),
        domainName: domainName(subject.partition, wanted.name),
      };
      await domains().define({ ...ref, owner, fields: fieldsOf(wanted), platform }, never);
      return ref;
    };
    /** Until its user space has spoken, a guest lets go of nothing. */
    const started = async (disks: string, words = '') => {
      const ref = await define(disks, words);
      await domains().start(ref, never);
      const enough = new AbortController();
      for await (const chunk of await domains().console(ref, enough.signal)) {
        if (/booted|up [0-9]+ s/.test(Buffer.from(chunk).toString())) break;
      }
      enough.abort();
      return ref;
    };
    const look = async (ref: DomainRef): Promise<ObservedDomain> => {
      const [seen] = await domains().read([ref], never);
      if (seen?.status !== 'present') throw new Error(JSON.stringify(seen));
      return seen.value;
    };
    const has = async (ref: DomainRef) => (await look(ref)).live?.volumes;
    const attach = (ref: DomainRef, disk: string) =>
      domains().attachDisk(ref, disk as VolumeName, never);
    const detach = (ref: DomainRef, disk: string) =>
      domains().detachDisk(ref, disk as VolumeName, never);
    const refusal = async (call: Promise<unknown>) => {
      const error: unknown = await call.then(
        () => null,
        (reason: unknown) => reason,
      );
      return error instanceof HostError ? error.code : error;
    };
    const comesToHave = async (ref: DomainRef, disks: string) => {
      const watch = await domains().watch(ref);
      while ((await has(ref)) !== disks) await watch.next(1000, never);
      watch.close();
    };

    beforeAll(async () => {
      subject = await makeSubject();
      ({ platform } = await subject.host.domains.facts(never));
      const owner = { installation, partition: subject.partition };
      for (const each of volumes) await subject.host.volumes.create(owner, each, never);
    });
    afterAll(() => subject.dispose());
    beforeEach(() => {
      name = `vm-${(count += 1)}`;
    });
    afterEach(async () => {
      for (const each of [name, 'other']) {
        const ref = await define('', '', each);
        await refusal(domains().powerOff(ref, never));
      }
    });

    test('come and go, each by itself, and its definition is left alone', async () => {
      const ref = await started('ab');
      const { portsFree } = await look(ref);
      expect(portsFree).toBe(8);
      await define('abc');
      const { fingerprint } = await look(ref);
      await attach(ref, 'c');
      expect(await has(ref)).toBe('a:raw,b:raw,c:raw');
      expect(await look(ref)).toMatchObject({ portsFree: portsFree - 1, fingerprint });
      await detach(ref, 'b');
      await comesToHave(ref, 'a:raw,c:raw');
      expect(await look(ref)).toMatchObject({ portsFree, fingerprint });
      // What is not there is let go of already.
      await detach(ref, 'b');
      await attach(ref, 'b');
      expect(await has(ref)).toBe('a:raw,b:raw,c:raw');
    });

    test('are those of its definition, each once, and of no other guest', async () => {
      const ref = await started('a');
      expect(await refusal(attach(ref, 'b'))).toBe('Refused');
      expect(await refusal(attach(ref, 'a'))).toBe('Refused');
      const other = await define('b', '', 'other');
      await domains().start(other, never);
      await define('ab');
      expect(await refusal(attach(ref, 'b'))).toBe('Refused');
      expect(await has(ref)).toBe('a:raw');
      await domains().powerOff(other, never);
      await attach(ref, 'b');
      expect(await has(ref)).toBe('a:raw,b:raw');
    });

    test('are not those of one that does not run', async () => {
      const ref = await define('a');
      expect(await refusal(attach(ref, 'a'))).toBe('Refused');
      await detach(ref, 'a');
      expect(await look(ref)).toMatchObject({ live: null, portsFree: 0 });
    });

    test('stay with a guest that does not let go, however often it is asked', async () => {
      const ref = await started('ab', deaf);
      const watch = await domains().watch(ref);
      for (let times = 0; times < 3; times += 1) {
        await detach(ref, 'a');
        await watch.next(1000, never);
      }
      watch.close();
      expect(await has(ref)).toBe('a:raw,b:raw');
      await domains().powerOff(ref, never);
      const other = await define('a', '', 'other');
      await domains().start(other, never);
      expect(await has(other)).toBe('a:raw');
    });
  });
}
