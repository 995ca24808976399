/** How a Secondary stops, and when it is ready: fields that only make sense together. */
import { expect, test } from 'vitest';
import { bundleOf, diagnosticsOf, secondaryDocument } from './parsing.ts';

const parsed = (...more: string[]) =>
  [...bundleOf([secondaryDocument('web', ...more)]).secondaries.values()][0];
const mistakes = (...more: string[]) =>
  diagnosticsOf([secondaryDocument('web', ...more)]).map(
    ({ code, path, message }) => `${code} ${path}: ${message}`,
  );

test('they have defaults that change nothing', () => {
  expect(parsed()).toMatchObject({ guestAgent: false, forceStop: true, readiness: 'Running' });
});

test('they are taken as they are given', () => {
  expect(parsed('guestAgent: true', 'forceStop: false', 'readiness: GuestAgent')).toMatchObject({
    guestAgent: true,
    forceStop: false,
    readiness: 'GuestAgent',
  });
});

test('readiness by a guest agent needs a channel for one', () => {
  expect(mistakes('readiness: GuestAgent')).toEqual([
    'InvalidValue spec.readiness: it would never be ready: it has no channel for a guest agent',
  ]);
});

test('what is not powered off has to have time to shut down', () => {
  expect(mistakes('forceStop: false', 'terminationGracePeriodSeconds: 0')).toEqual([
    'InvalidValue spec.forceStop: it could never be stopped: it has no time to shut down, and is not powered off',
  ]);
  expect(mistakes('forceStop: false', 'terminationGracePeriodSeconds: 1')).toEqual([]);
});

test('a word that is none is no readiness', () => {
  expect(mistakes('readiness: Ready')).toEqual([expect.stringContaining('spec.readiness')]);
});

test.each([
  [
    ['readiness: TcpPort', 'readinessPort: 80'],
    'spec.readiness: it would never be ready: it has no NIC, so that nobody can connect to it',
  ],
  [
    ['readiness: TcpPort', 'network: Partition'],
    'spec.readiness: it does not say which port: expected readinessPort beside it',
  ],
  [['readinessPort: 80'], 'spec.readinessPort: nobody would try it: readiness is Running'],
])('%s make no sense', (more, message) => {
  expect(mistakes(...more)).toContain(`InvalidValue ${message}`);
});

test.each([0, 65_536])('%i is no port', (port) => {
  const more = ['readiness: TcpPort', 'network: Partition', `readinessPort: ${port}`];
  expect(mistakes(...more)).toEqual([expect.stringContaining('spec.readinessPort')]);
});

test('a port and a heartbeat are taken as they are given', () => {
  expect(parsed('readiness: TcpPort', 'network: Partition', 'readinessPort: 5432')).toMatchObject({
    readiness: 'TcpPort',
    readinessPort: 5432,
  });
  expect(parsed('readiness: Heartbeat')).toMatchObject({ readinessPort: null });
});
