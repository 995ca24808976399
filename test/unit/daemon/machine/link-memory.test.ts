import { expect, test } from 'vitest';
import { linkMemory, linksMax } from '../../../../src/daemon/machine/link-memory.ts';

const pathOf = (number: number) => `/f/${number}`;

test('a link that leads elsewhere is told from one that is new, or the same', () => {
  const links = linkMemory();
  expect(links.note('/f/a', 'one')).toBe(false);
  expect(links.note('/f/a', 'one')).toBe(false);
  expect(links.note('/f/a', 'two')).toBe(true);
  expect(links.note('/f/a', 'two')).toBe(false);
});

test('one that is gone is known for a while', () => {
  const links = linkMemory();
  links.note('/f/a', 'one');
  links.noteGone('/f/a');
  expect(links.note('/f/a', 'two')).toBe(true);
  links.noteGone('/f/a');
  for (let i = 0; i < 200; i++) {
    links.note(pathOf(i), 'x');
    links.noteGone(pathOf(i));
  }
  expect(links.note('/f/a', 'three')).toBe(false);
});

test('no more are kept than may be, and there is room again when some go', () => {
  const links = linkMemory();
  for (let i = 0; i < linksMax; i++) links.note(pathOf(i), 'one');
  links.note('/f/more', 'one');
  expect(links.note('/f/more', 'two')).toBe(false);
  expect(links.note(pathOf(0), 'two')).toBe(true);
  links.noteGone(pathOf(1));
  links.note('/f/more', 'three');
  expect(links.note('/f/more', 'four')).toBe(true);
});

test('those of a folder that is gone are forgotten, and no others', () => {
  const links = linkMemory();
  for (const path of ['/f/sub/a', '/f/sub/b/c', '/f/subway']) links.note(path, 'one');
  links.forgetBelow('/f/sub');
  const known = ['/f/sub/a', '/f/sub/b/c', '/f/subway'].map((path) => links.note(path, 'two'));
  expect(known).toEqual([false, false, true]);
});
