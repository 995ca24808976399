/** What a Primary is not told, and what it is told all the same. */
import { expect, test } from 'vitest';
import { discreetJson } from '../../../src/channel/discreet.ts';

const told = (value: unknown) => JSON.parse(discreetJson(value) ?? 'null') as unknown;

test.each([
  [
    'paused by uid 1234, pid 4242 until noon: backup',
    'paused by an operator of the host until noon: backup',
  ],
  [
    'the mark is as of partition team-b of installation 6b1f0c52-5a0e-4d38-9a86-1f6f4f0a7c11',
    'the mark is as of another partition',
  ],
  [
    "writing /var/lib/unnest/team-a/accepted/2.json: EROFS, open '/var/lib/unnest/x'",
    "writing (a path of the host): EROFS, open '(a path of the host)'",
  ],
  ['/etc/unnest/desired/team-a is not there', '(a path of the host) is not there'],
  [
    'web.yaml:4:9: no such file vmlinuz (1/2 done)',
    'web.yaml:4:9: no such file vmlinuz (1/2 done)',
  ],
  [
    'write it to /dev/disk/by-id/virtio-unnest-images',
    'write it to /dev/disk/by-id/virtio-unnest-images',
  ],
  ["open '/dev/vg0/unnest.team-a.data'", "open '(a path of the host)'"],
  [
    'running lvcreate: LVM says "vg0: 12 TiB of 13", as it is',
    'running lvcreate: LVM has failed, as it is',
  ],
  ['running lvs: LVM says "vg0: 12 Ti', 'running lvs: LVM has failed'],
  ['https://example.org/var/x stays', 'https://example.org/var/x stays'],
])('of a text: %s', (text, rest) => {
  for (const field of ['message', 'detail', 'why'])
    expect(told({ [field]: text })).toEqual({ [field]: rest });
  expect(told({ lastPass: { failures: [text] } })).toEqual({ lastPass: { failures: [rest] } });
});

test('who has submitted is itself, or an operator', () => {
  expect(told({ submitter: 'Primary vm-a, CID 101' })).toEqual({
    submitter: 'Primary vm-a, CID 101',
  });
  for (const submitter of ['uid 0, pid 7', '/etc/unnest/desired/team-a', 'unknown uid']) {
    expect(told([{ submitter }])).toEqual([{ submitter: 'an operator of the host' }]);
  }
});

test('the installation is the host’s own affair, and documents stay what they are', () => {
  const plan = {
    installation: '6b1f',
    operations: [{ kind: 'x', installation: '6b1f', path: '/var/x' }],
  };
  expect(told({ plan })).toEqual({ plan: { operations: [{ kind: 'x', path: '/var/x' }] } });
  const documents = [
    { file: '/etc/a.yaml', value: { spec: { commandLine: 'init=/etc/rc uid 1, pid 2' } } },
  ];
  expect(told({ documents })).toEqual({ documents });
});
