/**
 * What the files of every runtime must do, and the signs that they give. The machine's and those in
 * memory are held against the same lines, so that what a test shows on one is true of the other.
 */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { explainError } from '../../src/host/host-error.ts';
import { FileError, type Files, type FileSign, type FileWatch } from '../../src/daemon/runtime.ts';
import { waitFor } from '../support/wait-for.ts';

/** Files, and what people beside the daemon do to them. */
export interface FilesSubject {
  readonly files: Files;
  /** A folder without links in its path, and empty. */
  readonly root: string;
  write(path: string, content: string | Uint8Array): void;
  folder(path: string): void;
  /** Makes a link; one that is there is replaced by a rename. */
  link(path: string, target: string): void;
  rename(from: string, to: string): void;
  /** Puts the folder `from` in the place of the folder `to`. */
  exchange(from: string, to: string): void;
  remove(path: string): void;
  /** A pipe. */
  other(path: string): void;
  dispose(): Promise<void>;
}

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** Its code; what is no FileError is shown as it is. */
async function codeOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => 'no error',
    (error: unknown) => (error instanceof FileError ? error.code : error),
  );
}

export function filesContract(name: string, make: () => Promise<FilesSubject>): void {
  describe(`the files of ${name}`, () => {
    let subject: FilesSubject;
    let at: (path: string) => string;
    beforeEach(async () => {
      subject = await make();
      at = (path) => `${subject.root}/${path}`;
    });
    afterEach(() => subject.dispose());

    describe('reading', () => {
      test('reads what is there, through links', async () => {
        subject.write(at('a.yaml'), 'one');
        subject.link(at('link.yaml'), 'a.yaml');
        expect(text(await subject.files.read(at('a.yaml'), 3))).toBe('one');
        expect(text(await subject.files.read(at('link.yaml'), 3))).toBe('one');
      });

      test('reads an empty file', async () => {
        subject.write(at('a.yaml'), '');
        expect(await subject.files.read(at('a.yaml'), 0)).toHaveLength(0);
      });

      test('says what cannot be read', async () => {
        subject.write(at('a.yaml'), 'one');
        subject.folder(at('folder'));
        subject.other(at('pipe'));
        subject.link(at('dangling'), 'nothing');
        const { files } = subject;
        expect(await codeOf(files.read(at('a.yaml'), 2))).toBe('TooLarge');
        expect(await codeOf(files.read(at('nothing'), 9))).toBe('Missing');
        expect(await codeOf(files.read(at('a.yaml/b'), 9))).toBe('Missing');
        expect(await codeOf(files.read(at('dangling'), 9))).toBe('Missing');
        expect(await codeOf(files.read(at('folder'), 9))).toBe('NotAFile');
        expect(await codeOf(files.read(at('pipe'), 9))).toBe('NotAFile');
      });

      test('refuses what a link leads out to', async () => {
        subject.write(at('secret'), 'key');
        subject.write(at('in/a.yaml'), 'one');
        subject.link(at('in/out.yaml'), '../secret');
        subject.link(at('in/near.yaml'), 'a.yaml');
        const { files } = subject;
        expect(await codeOf(files.read(at('in/out.yaml'), 9, at('in')))).toBe('PermissionDenied');
        expect(text(await files.read(at('in/near.yaml'), 9, at('in')))).toBe('one');
      });

      test('lists a folder by name, with links as links', async () => {
        subject.write(at('b.yaml'), '');
        subject.folder(at('a'));
        subject.link(at('c'), 'a');
        subject.other(at('d'));
        expect(await subject.files.list(subject.root)).toEqual([
          { name: 'a', kind: 'folder' },
          { name: 'b.yaml', kind: 'file' },
          { name: 'c', kind: 'link' },
          { name: 'd', kind: 'other' },
        ]);
        expect(await codeOf(subject.files.list(at('nothing')))).toBe('Missing');
      });

      test('tells a file from another of the same name', async () => {
        subject.write(at('a'), 'one');
        const before = await subject.files.facts(at('a'));
        expect(before).toMatchObject({ kind: 'file', bytes: 3 });
        subject.write(at('b'), 'two');
        subject.rename(at('b'), at('a'));
        const after = await subject.files.facts(at('a'));
        expect(after.identity).not.toBe(before.identity);
        expect(await codeOf(subject.files.facts(at('nothing')))).toBe('Missing');
      });

      test('resolves every link', async () => {
        subject.folder(at('.worktrees/abc/team'));
        subject.link(at('current'), '.worktrees/abc');
        subject.link(at('team'), 'current/team');
        expect(await subject.files.resolve(at('team'))).toBe(at('.worktrees/abc/team'));
        expect(await codeOf(subject.files.resolve(at('nothing')))).toBe('Missing');
      });
    });

    describe('writing', () => {
      test.each(['replace', 'swap'] as const)('%s puts a whole file', async (how) => {
        await subject.files[how](at('a.json'), 'one', 0o640);
        await subject.files[how](at('a.json'), 'two', 0o640);
        expect(text(await subject.files.read(at('a.json'), 9))).toBe('two');
        expect((await subject.files.list(subject.root)).map((entry) => entry.name)).toEqual([
          'a.json',
        ]);
      });

      test('a write that fails leaves nothing', async () => {
        subject.folder(at('folder/inner'));
        expect(await codeOf(subject.files.replace(at('no/a'), 'x', 0o600))).toBe('Missing');
        expect(await codeOf(subject.files.replace(at('folder'), 'x', 0o600))).toBe('NotAFile');
        expect(await subject.files.list(subject.root)).toHaveLength(1);
      });

      test('adds to a file, which is made if it is not there', async () => {
        await subject.files.append(at('log'), 'one\n', 0o640);
        await subject.files.append(at('log'), 'two\n', 0o640);
        expect(text(await subject.files.read(at('log'), 99))).toBe('one\ntwo\n');
        subject.folder(at('folder'));
        expect(await codeOf(subject.files.append(at('folder'), 'x', 0o600))).toBe('NotAFile');
        expect(await codeOf(subject.files.append(at('no/log'), 'x', 0o600))).toBe('Missing');
      });

      test('says the same of the same trouble', async () => {
        const said = async () =>
          explainError(
            await subject.files.replace(at('no/a'), 'x', 0o600).catch((error: unknown) => error),
          );
        expect(await said()).toBe(await said());
      });

      test('removes a file, also one that is gone', async () => {
        subject.write(at('a'), '');
        await subject.files.remove(at('a'));
        await subject.files.remove(at('a'));
        await subject.files.remove(at('no/a'));
        expect(await subject.files.list(subject.root)).toEqual([]);
        subject.folder(at('folder'));
        expect(await codeOf(subject.files.remove(at('folder')))).toBe('NotAFile');
      });

      test('makes a folder with its parents, also one that is there', async () => {
        await subject.files.makeFolder(at('a/b/c'), 0o750);
        await subject.files.makeFolder(at('a/b/c'), 0o750);
        expect((await subject.files.facts(at('a/b/c'))).kind).toBe('folder');
        subject.write(at('file'), '');
        expect(await codeOf(subject.files.makeFolder(at('file'), 0o750))).toBe('NotAFile');
      });
    });

    signsContract(() => subject);
  });
}

function signsContract(current: () => FilesSubject): void {
  describe('signs', () => {
    let signs: FileSign[];
    let subject: FilesSubject;
    let watches: FileWatch[];
    let at: (path: string) => string;
    beforeEach(() => {
      subject = current();
      signs = [];
      watches = [];
      at = (path) => `${subject.root}/${path}`;
    });
    afterEach(async () => {
      for (const watch of watches) await watch.close();
    });
    const watch = async (path: string) => {
      watches.push(await subject.files.watch(at(path), (sign) => signs.push(sign)));
    };
    /** Those there are when it has come, or has not for too long. */
    const signsUntil = async (sign: FileSign) => {
      const has = () => signs.includes(sign) || Promise.reject(new Error(`no ${sign}`));
      await waitFor(has).catch(() => {});
      return [...signs];
    };
    /** After everything before it, since signs of one folder come in order. */
    const isStill = async (path: string) => {
      subject.write(at(path), 'last');
      expect(await signsUntil('changed')).toContain('changed');
    };

    test('a folder that is not there cannot be watched', async () => {
      expect(await codeOf(watch('nothing'))).toBe('Missing');
      subject.write(at('file'), '');
      expect(await codeOf(watch('file'))).not.toBe('no error');
    });

    test.each([
      ['a new file', () => subject.write(at('f/b.yaml'), 'x')],
      ['a file written in place', () => subject.write(at('f/a.yaml'), 'two')],
      ['a file that goes', () => subject.remove(at('f/a.yaml'))],
      ['a file further down', () => subject.write(at('f/sub/c.yaml'), 'x')],
      ['a file in a hidden folder', () => subject.write(at('f/.hidden/c.yaml'), 'x')],
      ['a file renamed over another', () => subject.rename(at('f/sub/c.yaml'), at('f/a.yaml'))],
      ['a link that is new', () => subject.link(at('f/new'), 'sub')],
      ['a link to a file that is swapped', () => subject.link(at('f/l.yaml'), 'sub/c.yaml')],
    ])('%s is changed, and no more', async (_, act) => {
      subject.write(at('f/a.yaml'), 'one');
      subject.write(at('f/sub/c.yaml'), 'one');
      subject.folder(at('f/.hidden'));
      subject.link(at('f/l.yaml'), 'a.yaml');
      await watch('f');
      act();
      expect(await signsUntil('changed')).toContain('changed');
      expect(signs).not.toContain('swapped');
      expect(signs).not.toContain('lost');
    });

    test('what happens in a folder that is new is told', async () => {
      subject.folder(at('f'));
      await watch('f');
      subject.folder(at('f/new'));
      expect(await signsUntil('changed')).toContain('changed');
      subject.write(at('f/new/a.yaml'), 'x');
      signs.length = 0;
      await signsUntil('changed');
      signs.length = 0;
      subject.write(at('f/new/a.yaml'), 'y');
      expect(await signsUntil('changed')).toContain('changed');
    });

    test('a link to the folder that is swapped, as git-sync does', async () => {
      subject.write(at('.worktrees/abc/a.yaml'), 'one');
      subject.write(at('.worktrees/def/a.yaml'), 'two');
      subject.link(at('team-a'), '.worktrees/abc');
      await watch('team-a');
      subject.link(at('team-a'), '.worktrees/def');
      expect(await signsUntil('swapped')).toContain('swapped');
      signs.length = 0;
      subject.link(at('team-a'), '.worktrees/abc');
      expect(await signsUntil('swapped')).toContain('swapped');
      signs.length = 0;
      subject.write(at('.worktrees/abc/b.yaml'), 'x');
      expect(await signsUntil('changed')).toContain('changed');
    });

    test('a link on the way to the folder that is swapped', async () => {
      subject.write(at('one/team-a/a.yaml'), 'one');
      subject.write(at('two/team-a/a.yaml'), 'two');
      subject.link(at('current'), 'one');
      await watch('current/team-a');
      subject.link(at('current'), 'two');
      expect(await signsUntil('swapped')).toContain('swapped');
    });

    test('a link in the folder that is swapped, as the kubelet does', async () => {
      subject.write(at('f/..2024_1/a.yaml'), 'one');
      subject.link(at('f/..data'), '..2024_1');
      subject.link(at('f/a.yaml'), '..data/a.yaml');
      await watch('f');
      subject.write(at('f/..2024_2/a.yaml'), 'two');
      subject.link(at('f/..data'), '..2024_2');
      expect(await signsUntil('swapped')).toContain('swapped');
      signs.length = 0;
      subject.link(at('f/..data'), '..2024_1');
      expect(await signsUntil('swapped')).toContain('swapped');
    });

    test('a folder in the place of another', async () => {
      subject.write(at('f/a.yaml'), 'one');
      subject.write(at('f.new/a.yaml'), 'two');
      await watch('f');
      subject.exchange(at('f.new'), at('f'));
      expect(await signsUntil('swapped')).toContain('swapped');
      signs.length = 0;
      await isStill('f/a.yaml');
    });

    test('a folder that goes is lost, and can be watched when it is back', async () => {
      subject.write(at('f/a.yaml'), 'one');
      await watch('f');
      subject.remove(at('f'));
      expect(await signsUntil('lost')).toContain('lost');
      expect(signs).not.toContain('swapped');
      signs.length = 0;
      subject.folder(at('f'));
      await watch('f');
      subject.write(at('f/a.yaml'), 'one');
      expect(await signsUntil('changed')).toContain('changed');
    });

    test('a folder that is renamed away is lost', async () => {
      subject.write(at('f/a.yaml'), 'one');
      await watch('f');
      subject.rename(at('f'), at('g'));
      expect(await signsUntil('lost')).toContain('lost');
    });

    test('nothing is told once it is closed', async () => {
      subject.write(at('f/a.yaml'), 'one');
      await watch('f');
      await watches.pop()?.close();
      const others: FileSign[] = [];
      watches.push(await subject.files.watch(at('f'), (sign) => others.push(sign)));
      signs.length = 0;
      subject.write(at('f/a.yaml'), 'two');
      await expect.poll(() => others, { interval: 5 }).toContain('changed');
      expect(signs).toEqual([]);
    });

    test('what a link in the folder leads out to is not told', async () => {
      subject.write(at('f/a.yaml'), 'one');
      subject.write(at('g/a.yaml'), 'one');
      subject.link(at('f/out'), '../g');
      await watch('f');
      const others: FileSign[] = [];
      watches.push(await subject.files.watch(at('g'), (sign) => others.push(sign)));
      subject.write(at('g/a.yaml'), 'two');
      await expect.poll(() => others, { interval: 5 }).toContain('changed');
      expect(signs).toEqual([]);
    });

    test('what is beside the folder is not told', async () => {
      subject.write(at('f/a.yaml'), 'one');
      await watch('f');
      subject.write(at('beside.yaml'), 'one');
      subject.folder(at('g'));
      subject.rename(at('beside.yaml'), at('g/a.yaml'));
      await isStill('f/a.yaml');
      expect(signs).not.toContain('lost');
      expect(signs).not.toContain('swapped');
    });
  });
}
