import { describe, expect, test } from 'vitest';
import { errorCodeName, errorCodes } from '../../../src/libvirt/error-codes.ts';
import { ConnectionError, dialError, LibvirtError } from '../../../src/libvirt/errors.ts';

describe('LibvirtError', () => {
  test('tells code, domain, level, procedure and the words of libvirt', () => {
    const error = new LibvirtError('domain_reset', {
      number: 42,
      domain: 10,
      level: 2,
      message: 'gone',
    });
    expect(error).toMatchObject({
      name: 'LibvirtError',
      message: 'libvirt refused domain_reset (NO_DOMAIN): gone',
      code: 'NO_DOMAIN',
      number: 42,
      domain: 10,
      level: 'error',
      serverMessage: 'gone',
      procedure: 'domain_reset',
      retryable: false,
    });
  });

  test('lives with a code and a message that it does not know', () => {
    const error = new LibvirtError('x', { number: 9999, domain: 0, level: 1, message: null });
    expect([error.code, error.level, error.message]).toEqual([
      'UNKNOWN',
      'warning',
      'libvirt refused x (UNKNOWN): no message',
    ]);
  });

  test.each([
    ['OPERATION_TIMEOUT', true],
    ['AGENT_UNRESPONSIVE', true],
    ['RESOURCE_BUSY', true],
    ['NO_DOMAIN', false],
    ['INTERNAL_ERROR', false],
    ['OPERATION_INVALID', false],
  ] as const)('%s: to try again is %s', (code, retryable) => {
    const error = new LibvirtError('x', {
      number: errorCodes[code],
      domain: 0,
      level: 2,
      message: '',
    });
    expect(error.retryable).toBe(retryable);
  });
});

test('error numbers have the names of libvirt', () => {
  expect([1, 38, 86, 99, 110, 111, 0].map(errorCodeName)).toEqual([
    'INTERNAL_ERROR',
    'SYSTEM_ERROR',
    'AGENT_UNRESPONSIVE',
    'DEVICE_MISSING',
    'MULTIPLE_DOMAINS',
    'UNKNOWN',
    'UNKNOWN',
  ]);
});

describe('dialError', () => {
  test.each([
    ['ENOENT', 'unreachable', true],
    ['ECONNREFUSED', 'unreachable', true],
    ['EACCES', 'permission', false],
    ['EPERM', 'permission', false],
  ] as const)('%s is %s', (code, reason, retryable) => {
    const cause = Object.assign(new Error(`connect ${code} /s`), { code });
    const error = dialError('/s', cause);
    expect(error).toBeInstanceOf(ConnectionError);
    expect([error.reason, error.retryable, error.mayHaveRun, error.cause]).toEqual([
      reason,
      retryable,
      false,
      cause,
    ]);
    expect(error.message).toBe('cannot connect to libvirtd at /s');
  });
});
