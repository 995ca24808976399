/** URLs of Images: what we read out of one is what anybody does. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { allowedHost, hostText, parseImageHost, parseImageUrl } from '../../src/model/image-url.ts';
import { runs } from './arbitraries.ts';

describe('a URL', () => {
  test('is taken apart', () => {
    expect(parseImageUrl('https://images.example.org/a/b.img?v=1&w=%20')).toEqual({
      host: 'images.example.org',
      port: 443,
      target: '/a/b.img?v=1&w=%20',
    });
    expect(parseImageUrl('https://mirror:8443/')).toEqual({
      host: 'mirror',
      port: 8443,
      target: '/',
    });
  });

  const schemes = [
    'https://',
    'https://',
    'https://',
    'http://',
    'HTTPS://',
    'https:/',
    'https:\\\\',
  ];
  const users = ['', '', '', 'u@', 'u:p@', ':@', '@'];
  const good = ['a', 'a.b', 'xn--bcher-kva.b', 'a-b.c', '1.a', '0x7f.a', 'localhost'];
  const addresses = ['1', 'a.1', '127.0.0.1', '127.1', '0x7f.1', '0x7f000001', 'a.0x1', '[::1]'];
  const bad = ['A.b', 'a_b', 'a.', '.a', 'a..b', '%61.b', 'a%2eb', 'é.b', 'a b', '*.b', '-a.b'];
  const names = [...good, ...good, ...addresses, ...bad];
  const ports = ['', '', '', ':443', ':1', ':65535', ':65536', ':0', ':01', ':', ':x'];
  const paths = ['/', '/a', '/a//b', '/%41', '/a?b=c&d', '/?', '/a:b@c', '/a?b/c?d', '/~', '/..'];
  const noPaths = [
    '',
    '?',
    '#',
    '/#',
    '/a#b',
    '/%zz',
    '/%',
    '/é',
    '/ ',
    '/\\',
    '\\a',
    '@b/',
    ':1/',
  ];
  const tails = [...paths, ...noPaths];
  const of = (texts: readonly string[]) => fc.constantFrom(...texts);
  const texts = fc
    .tuple(of(schemes), of(users), of(names), of(ports), of(tails))
    .map((all) => all.join(''));

  test('that is taken is to everybody what it is to us', () => {
    let taken = 0;
    fc.assert(
      fc.property(texts, (text) => {
        const ours = parseImageUrl(text);
        if (ours === null) return;
        taken += 1;
        const theirs = new URL(text);
        expect(theirs.protocol).toBe('https:');
        expect(theirs.hostname).toBe(ours.host);
        expect(Number(theirs.port || 443)).toBe(ours.port);
        expect([theirs.username, theirs.password, theirs.hash]).toEqual(['', '', '']);
        expect(theirs.hostname).toMatch(/^(?![\d.]+$)[a-z0-9.-]+$/);
      }),
      runs(2000),
    );
    expect(taken).toBeGreaterThan(20);
  });

  test('that is too long is none', () => {
    const text = (length: number) => `https://a/${'x'.repeat(length - 10)}`;
    expect(parseImageUrl(text(2048))).not.toBeNull();
    expect(parseImageUrl(text(2049))).toBeNull();
  });
});

test('a host is allowed by its whole name and port', () => {
  const hosts = [{ host: 'a.test', port: 443, privateAddresses: false }];
  const allowed = (text: string) =>
    allowedHost(parseImageHost(text) ?? { host: '', port: 0 }, hosts);
  expect(allowed('a.test')).toBe(hosts[0]);
  expect(allowed('a.test:443')).toBe(hosts[0]);
  for (const other of ['a.test:444', 'b.a.test', 'test', 'aa.test']) {
    expect(allowed(other)).toBeNull();
  }
  expect(hostText({ host: 'a.test', port: 443 })).toBe('a.test');
  expect(hostText({ host: 'a.test', port: 1 })).toBe('a.test:1');
});
