/** The addresses of the machine that the test runs on: there is always the loopback interface. */
import { expect, test } from 'vitest';
import { machineAddresses } from '../../../../src/daemon/machine/addresses.ts';

test('are those of IPv4, each with its prefix', () => {
  const all = machineAddresses();
  for (const { cidr } of all) expect(cidr).toMatch(/^(?:\d{1,3}\.){3}\d{1,3}\/\d{1,2}$/);
  const loopback = all.filter(({ name }) => name === 'lo');
  expect(loopback.map(({ cidr }) => cidr)).toContain('127.0.0.1/8');
});
