/** What the interfaces of every machine must do: the kernel's, and those in memory that tests rely on. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { HostError } from '../../src/host/host-error.ts';
import type { Links } from '../../src/host/links.ts';

export interface LinksSubject {
  readonly links: Links;
  /** An interface comes. */
  come(name: string, mac: string): void;
  go(name: string): void;
  dispose(): void;
}

const { signal } = new AbortController();
const name = 'unlc0';
const mac = '52:54:00:ab:cd:01';
const cidr = '10.231.77.7/24';

export function describeLinksContract(title: string, make: () => LinksSubject): void {
  describe(`the interfaces of ${title}`, () => {
    let subject: LinksSubject;
    let links: Links;
    beforeEach(() => {
      subject = make();
      ({ links } = subject);
      subject.come(name, mac);
    });
    afterEach(() => subject.dispose());

    const seen = async () => (await links.list(signal)).find((each) => each.name === name);
    const code = (asked: Promise<void>) =>
      asked.then(
        () => 'done',
        (error: HostError) => error.code,
      );

    test('come with a MAC address, switched off and with nothing on them', async () => {
      expect(await seen()).toMatchObject({
        name,
        mac,
        isUp: false,
        isStacked: false,
        master: null,
        note: '',
        addresses: [],
      });
    });

    test('get an address, whose network is then reached by them alone', async () => {
      await links.addAddress(name, cidr, signal);
      expect(await seen()).toMatchObject({ addresses: [{ cidr, isLeased: false }] });
      expect((await links.routes(signal)).filter(({ link }) => link === name)).toEqual([]);
      await links.bringUp(name, signal);
      expect((await seen())?.isUp).toBe(true);
      const routes = (await links.routes(signal)).filter(({ link }) => link === name);
      expect(routes).toEqual([{ to: '10.231.77.0/24', link: name }]);
    });

    test('keep what is noted on them, until another note or none is', async () => {
      await links.note(name, 'unnest 10.0.0.1/8', signal);
      expect((await seen())?.note).toBe('unnest 10.0.0.1/8');
      await links.note(name, '', signal);
      expect((await seen())?.note).toBe('');
    });

    test('lose an address, and with the first of a network the others of it', async () => {
      for (const each of [cidr, '10.231.77.8/24', '10.231.78.7/24']) {
        await links.addAddress(name, each, signal);
      }
      await links.removeAddress(name, cidr, signal);
      expect((await seen())?.addresses.map((each) => each.cidr)).toEqual(['10.231.78.7/24']);
    });

    test('refuse an address twice, one that is not there, and what is not there to have one', async () => {
      await links.addAddress(name, cidr, signal);
      expect(await code(links.addAddress(name, cidr, signal))).toBe('Refused');
      expect(await code(links.removeAddress(name, '10.231.79.7/24', signal))).toBe('Refused');
      expect(await code(links.bringUp('unlc9', signal))).toBe('Refused');
    });

    test('have another index, and nothing of what was on them, when they come again', async () => {
      await links.note(name, 'unnest', signal);
      await links.addAddress(name, cidr, signal);
      const before = await seen();
      subject.go(name);
      expect(await seen()).toBeUndefined();
      subject.come(name, mac);
      const after = await seen();
      expect(after).toMatchObject({ mac, note: '', addresses: [] });
      expect(after?.index).not.toBe(before?.index);
    });
  });
}
