/** What a host must be for a daemon: one for all partitions, which tells of changes and of its own end. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HostError } from '../../src/host/host-error.ts';
import type { DaemonHosts, HostSign } from '../../src/host/ports.ts';
import { type DomainDefinition, fieldsOf } from '../../src/model/domain.ts';
import {
  bridgeName,
  domainName,
  networkName,
  networkUuid,
  secondaryUuid,
} from '../../src/model/identity.ts';
import type { PartitionName } from '../../src/model/names.ts';
import type { NetworkDefinition } from '../../src/model/network.ts';
import { installation, secondary } from '../support/passes.ts';
import { networkFields } from '../support/network-fields.ts';

export interface DaemonSubject {
  readonly hosts: DaemonHosts;
  /** Ends the host, or only the way to it, and brings it back. */
  readonly lose: () => Promise<void>;
  readonly restore: () => Promise<void>;
  readonly dispose: () => Promise<void>;
}

const never = new AbortController().signal;
const here = 'contract' as PartitionName;
const there = 'other' as PartitionName;

export function describeDaemonHostsContract(
  what: string,
  makeSubject: () => Promise<DaemonSubject>,
): void {
  describe(`the contract of ${what} for a daemon`, () => {
    let subject: DaemonSubject;
    let signs: HostSign[] = [];
    let waiting: { readonly isSo: (sign: HostSign) => boolean; readonly done: () => void }[] = [];
    beforeEach(async () => {
      subject = await makeSubject();
      signs = [];
      waiting = [];
      subject.hosts.onSign((sign) => {
        signs.push(sign);
        for (const each of waiting.filter(({ isSo }) => isSo(sign))) each.done();
      });
    });
    afterEach(() => subject.dispose());

    /** Resolves at such a sign, be it one that has come already. */
    const sign = (isSo: (sign: HostSign) => boolean) =>
      new Promise<void>((done) => {
        if (signs.some(isSo)) done();
        else waiting.push({ isSo, done });
      });
    const ofDomain = (event: string) => (each: HostSign) =>
      each.kind === 'domain' && each.event === event;
    const definition = async (partition: PartitionName): Promise<DomainDefinition> => {
      const { platform } = await subject.hosts.host(partition).domains.facts(never);
      const wanted = secondary('web');
      const owner = { installation, partition, secondary: wanted.name };
      return {
        uuid: secondaryUuid(owner),
        domainName: domainName(partition, wanted.name),
        owner,
        fields: fieldsOf(wanted),
        platform,
      };
    };
    const codeOf = (call: Promise<unknown>) =>
      call.then(
        () => 'no error',
        (error: unknown) => (error instanceof HostError ? error.code : error),
      );

    test('tells of domains of every partition, by name', async () => {
      const { hosts } = subject;
      for (const partition of [here, there]) {
        const made = await definition(partition);
        const { domains } = hosts.host(partition);
        await domains.define(made, never);
        const { domainName: name, uuid } = made;
        await sign((each) => JSON.stringify(each).includes(uuid));
        const all = await hosts.domains.list(never);
        expect(all.map((each) => each.domainName)).toContain(made.domainName);
        expect(await hosts.domains.facts(never)).toEqual(await domains.facts(never));
        const told = signs.filter(({ kind }) => kind !== 'domain-file');
        expect(told.at(-1)).toEqual({ kind: 'domain', domainName: name, uuid, event: 'defined' });
        await domains.noteStop(made, true, never);
        await sign(ofDomain('metadata'));
        await domains.undefine(made, never);
        await sign(ofDomain('undefined'));
        signs = [];
      }
    });

    test('tells of networks', async () => {
      const owner = { installation, partition: here };
      const network: NetworkDefinition = {
        uuid: networkUuid(owner),
        networkName: networkName(here),
        owner,
        bridge: bridgeName(owner),
        fields: networkFields({ cidr: '10.99.0.0/24', mode: 'isolated' }),
      };
      await subject.hosts.host(here).networks.define(network, never);
      await sign(({ kind }) => kind === 'network');
      expect(signs).toContainEqual({ kind: 'network', networkName: networkName(here) });
      await subject.hosts.host(here).networks.undefine(network, never);
    });

    test('says that it is lost, fails until it is back, and then tells again', async () => {
      const { hosts } = subject;
      const { domains } = hosts.host(here);
      const made = await definition(here);
      await domains.define(made, never);
      await sign(ofDomain('defined'));
      await subject.lose();
      await sign(({ kind }) => kind === 'lost');
      expect(await codeOf(domains.list(never))).toBe('Unreachable');
      expect(await codeOf(hosts.domains.facts(never))).toBe('Unreachable');
      const late: HostSign[] = [];
      hosts.onSign((each) => late.push(each))();
      expect(late).toEqual([{ kind: 'lost', message: expect.stringMatching(/./) }]);
      signs = [];
      await subject.restore();
      await sign(({ kind }) => kind === 'back');
      await domains.undefine(made, never);
      await sign(ofDomain('undefined'));
      expect(signs.filter(({ kind }) => kind === 'back')).toHaveLength(1);
    });

    test('is silent once nobody listens, and fails once it is closed', async () => {
      const { hosts } = subject;
      const heard: HostSign[] = [];
      const stop = hosts.onSign((each) => heard.push(each));
      stop();
      const made = await definition(here);
      await hosts.host(here).domains.define(made, never);
      await sign(ofDomain('defined'));
      expect(heard).toEqual([]);
      await hosts.host(here).domains.undefine(made, never);
      await hosts.close();
      expect(await codeOf(hosts.host(here).domains.list(never))).toBe('Unreachable');
    });
  });
}
