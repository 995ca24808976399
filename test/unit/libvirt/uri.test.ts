import { describe, expect, test } from 'vitest';
import { parseUri } from '../../../src/libvirt/uri.ts';

describe('parseUri', () => {
  test.each([
    ['qemu:///system', 'qemu:///system', undefined],
    ['qemu+unix:///system', 'qemu:///system', undefined],
    ['qemu+unix:///system?socket=/run/x.sock', 'qemu:///system', '/run/x.sock'],
    ['qemu:///system?socket=/run/a%20b', 'qemu:///system', '/run/a b'],
    ['test:///default', 'test:///default', undefined],
    ['qemu:///session?socket=/run/user/0/s', 'qemu:///session', '/run/user/0/s'],
  ])('%s', (uri, serverUri, socketPath) => {
    expect(parseUri(uri)).toEqual({ serverUri, socketPath });
  });

  test.each([
    ['qemu+ssh://host/system', 'transport "ssh" is not supported'],
    ['qemu+tls:///system', 'transport "tls" is not supported'],
    ['qemu+tcp://127.0.0.1/system', 'transport "tcp" is not supported'],
    ['qemu://other/system', 'it names the host "other"'],
    ['qemu:///session', 'name its socket'],
    ['system', 'it is not a libvirt URI'],
    ['', 'it is not a libvirt URI'],
  ])('%s is refused, for good', (uri, why) => {
    expect(() => parseUri(uri)).toThrow(
      expect.objectContaining({
        name: 'ConnectionError',
        reason: 'unreachable',
        retryable: false,
        message: expect.stringContaining(why),
      }) as Error,
    );
  });
});
