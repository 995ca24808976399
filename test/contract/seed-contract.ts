/** What the seeds of every host must do behind the ports, a simulated one and files alike. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { HostError } from '../../src/host/host-error.ts';
import type { SeedReader, SeedWriter } from '../../src/host/ports.ts';
import type { InstallationId, PartitionOwner } from '../../src/model/identity.ts';
import type { SeedContent, SeedName } from '../../src/model/seed.ts';
import type { StoredState } from '../../src/model/volume.ts';
import { cloudInit, seedFor } from '../support/seeds.ts';

export interface SeedSubject {
  readonly seeds: SeedReader & SeedWriter;
  /** The same store, of which nothing can be changed. */
  readonly view: { readonly seeds: SeedReader };
  readonly owner: PartitionOwner;
  /** What a person beside us does: takes the place of a seed, without a record. */
  readonly makeForeign: (name: SeedName) => Promise<void>;
  /** What a crash does: it is still, or again, in this state. */
  readonly leave: (name: SeedName, state: StoredState) => Promise<void>;
  readonly dispose: () => Promise<void>;
}

const never = new AbortController().signal;
const contents: readonly SeedContent[] = [
  cloudInit('web', ''),
  cloudInit('web', 'x'.repeat(65_536), {
    networkConfig: 'é'.repeat(32_768),
    sshAuthorizedKeys: Array.from(
      { length: 64 },
      (_, at) => `ssh-rsa ${'A'.repeat(8000)} ${at}"\\`,
    ),
  }),
  { form: 'ignition', config: '{"ignition":{"version":"3.4.0"}}' },
];

const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => null,
    (error: unknown) => (error instanceof HostError ? error.code : error),
  );

export function describeSeedContract(what: string, makeSubject: () => Promise<SeedSubject>): void {
  describe(`the seed contract of ${what}`, () => {
    let subject: SeedSubject;
    let count = 0;
    const us = () => subject.owner;
    const stranger = (): PartitionOwner => {
      const installation = '00000000-0000-4000-8000-0000000000cc' as InstallationId;
      return { ...us(), installation };
    };
    /** The one of this test. */
    const seedOf = (content: SeedContent) => seedFor(`s-${count}`, content);
    const [plain = cloudInit('web', '')] = contents;
    const create = async (content: SeedContent = plain) => {
      const seed = seedOf(content);
      await subject.seeds.create(us(), seed, content, never);
      return seed;
    };
    const look = (name: SeedName) => subject.view.seeds.read(us().partition, name, never);
    const listed = () => subject.view.seeds.list(us().partition, never);
    const remove = (name: SeedName) => subject.seeds.delete(us(), name, never);

    beforeAll(async () => {
      subject = await makeSubject();
    });
    afterAll(() => subject.dispose());
    beforeEach(() => {
      count += 1;
    });

    test.each(contents.map((content) => [content.form, content] as const))(
      'one of %s is read back as it was asked for, and has the size that was planned',
      async (_form, content) => {
        const seed = await create(content);
        const value = { ...seed, owner: us(), state: 'ready' };
        expect(await look(seed.name)).toEqual({ status: 'present', value });
        expect(await listed()).toContain(seed.name);
      },
    );

    test('one that is there is not made again', async () => {
      await create();
      expect(await codeOf(create())).toBe('Conflict');
    });

    test('one that is half made is made over, and one that is half deleted has to go first', async () => {
      const { name } = await create();
      await subject.leave(name, 'creating');
      await create();
      expect(await look(name)).toMatchObject({ value: { state: 'ready' } });
      await subject.leave(name, 'deleting');
      expect(await codeOf(create())).toBe('Conflict');
      await remove(name);
      await create();
    });

    test('one that is gone is gone, and again', async () => {
      const { name } = await create();
      await remove(name);
      await remove(name);
      expect(await look(name)).toEqual({ status: 'absent' });
      expect(await listed()).not.toContain(name);
    });

    test('of another installation is seen as its own, and left alone', async () => {
      const seed = seedOf(plain);
      await subject.seeds.create(stranger(), seed, plain, never);
      expect(await look(seed.name)).toMatchObject({ value: { owner: stranger() } });
      expect(await codeOf(create())).toBe('Conflict');
      expect(await codeOf(remove(seed.name))).toBe('Conflict');
    });

    test('what somebody has put in its place is nobody of ours, and left alone', async () => {
      const { name } = seedOf(plain);
      await subject.makeForeign(name);
      expect(await look(name)).toMatchObject({ value: { owner: null } });
      expect(await codeOf(create())).toBe('Conflict');
      expect(await codeOf(remove(name))).toBe('Conflict');
    });

    test('nothing is begun once it was given up', async () => {
      const seed = seedOf(plain);
      const over = AbortSignal.abort();
      expect(await codeOf(subject.seeds.create(us(), seed, plain, over))).toBe('Cancelled');
      expect(await look(seed.name)).toEqual({ status: 'absent' });
    });
  });
}
