/** What a document says of the first boot: what is refused, where, and what nobody is shown. */
import { describe, expect, test } from 'vitest';
import { effectiveDocuments } from '../../../src/documents/effective.ts';
import { bundleOf, diagnosticsOf, secondaryDocument } from './parsing.ts';

const secret = 'hunter2';
const key =
  'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl me@home';
const butane = JSON.stringify({ ignition: { version: '3.4.0' } });

const bundle = (...more: string[]) => bundleOf([secondaryDocument('web', ...more)]);
const contents = (...more: string[]) => [...bundle(...more).seedContents.values()];
const mistakes = (...more: string[]) => diagnosticsOf([secondaryDocument('web', ...more)]);
const said = (...more: string[]) =>
  mistakes(...more).map(({ code, path, message }) => `${code} ${path}: ${message}`);

describe('cloudInit', () => {
  test('has defaults: nothing to do, a host name, no keys', () => {
    const nothing = { userData: '', networkConfig: null, sshAuthorizedKeys: [] };
    expect(contents('cloudInit: {}')).toEqual([
      { form: 'cloud-init', hostname: 'web', ...nothing },
    ]);
    expect(contents()).toEqual([]);
  });

  test('gives each replica a seed of its own, and leaves $(name) in userData to the guest', () => {
    const cloudInit = {
      hostname: '$(name).lab',
      userData: 'echo $(name)',
      sshAuthorizedKeys: [key],
    };
    const { secondaries, seedContents } = bundle(
      'replicas: 2',
      `cloudInit: ${JSON.stringify(cloudInit)}`,
    );
    const seeds = [...secondaries.values()].map(({ seed }) => seed?.name);
    expect([...seedContents.keys()]).toEqual(seeds);
    expect([...seedContents.values()]).toMatchObject([
      { hostname: 'web-0.lab', userData: 'echo $(name)', sshAuthorizedKeys: [key] },
      { hostname: 'web-1.lab' },
    ]);
  });

  test('may have 64 KiB of bytes, and not one more', () => {
    const yaml = (text: string) => `cloudInit: { userData: ${JSON.stringify(text)} }`;
    expect(said(yaml('é'.repeat(32_768)))).toEqual([]);
    expect(said(yaml(`${'é'.repeat(32_768)}x`))).toEqual([
      'InvalidValue spec.cloudInit.userData: what stands there is not valid: expected at most 64 KiB of text',
    ]);
    expect(said('cloudInit: { userData: "\\ud800" }')).toEqual([
      expect.stringContaining('half characters'),
    ]);
  });

  test.each(['-web', 'web-', 'Web', 'a..b', '.', 'web_1', 'a'.repeat(64), '$(host)', ''])(
    'has no host name %j',
    (hostname) => {
      expect(said(`cloudInit: { hostname: ${JSON.stringify(hostname)} }`)).toEqual([
        expect.stringMatching(/^InvalidValue spec\.cloudInit\.hostname: /),
      ]);
    },
  );

  test('is judged with the longest name filled in', () => {
    const hostname = `$(name)-${'a'.repeat(57)}`;
    expect(said(`cloudInit: { hostname: "${hostname}" }`)).toEqual([]);
    expect(said('replicas: 11', `cloudInit: { hostname: "${hostname}" }`)).toEqual([
      expect.stringContaining('with the name filled in it is "web-10-a'),
    ]);
  });

  test.each([
    'ssh-ed25519',
    'hunter2',
    `command="x" ${key}`,
    `${key}\n${key}`,
    `${key}\u0007`,
    'ssh-dss AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoq',
  ])('has no key %j', (text) => {
    const keys = JSON.stringify([text]);
    expect(said(`cloudInit: { sshAuthorizedKeys: ${keys} }`)).toEqual([
      expect.stringMatching(/^InvalidValue spec\.cloudInit\.sshAuthorizedKeys\.?\[?0/),
    ]);
  });
});

describe('ignition', () => {
  test('is taken as it is', () => {
    const config = `${butane}\n`;
    expect(contents(`ignition: { config: ${JSON.stringify(config)} }`)).toEqual([
      { form: 'ignition', config },
    ]);
  });

  test.each(['', '{', '[]', 'null', '{"ignition":{}}', '{"ignition":{"version":3}}', '{"a":1}'])(
    'is refused where it is none: %j',
    (config) => {
      expect(said(`ignition: { config: ${JSON.stringify(config)} }`)).toEqual([
        'InvalidValue spec.ignition.config: what stands there is not valid: expected JSON with ignition.version, such as `butane` writes',
      ]);
    },
  );

  test('is not there beside cloudInit', () => {
    const both = ['cloudInit: {}', `ignition: { config: ${JSON.stringify(butane)} }`];
    expect(mistakes(...both)).toMatchObject([{ code: 'InvalidValue', path: 'spec.ignition' }]);
  });
});

describe('a secret is in no error, nor is the line that it stands in', () => {
  const huge = `${secret}${'x'.repeat(70_000)}`;
  test.each([
    [`cloudInit: { userData: [${secret}] }`],
    [`cloudInit: { userData: { password: ${secret} } }`],
    [`cloudInit: { userData: ${huge} }`],
    [`cloudInit: { networkConfig: ${huge} }`],
    [`cloudInit: { userdata: ${secret} }`],
    [`cloudInit: { user-data: ${secret} }`],
    [`cloudInit: { password: ${secret} }`],
    [`cloudInit: ${secret}`],
    [`cloudInit: [${secret}]`],
    [`cloudinit: { userData: ${secret} }`],
    [`ignition: ${secret}`],
    [`ignition: { config: ${secret} }`],
    [`ignition: { config: 7, cfg: ${secret} }`],
    [`ignition: { cfg: ${secret} }`],
  ])('%s', (line) => {
    const found = mistakes(line.slice(0, 80_000));
    expect(found.length).toBeGreaterThan(0);
    expect(JSON.stringify(found)).not.toContain(secret);
  });

  test('and what is not secret is shown as ever', () => {
    const [wrong] = mistakes('vcpus: two');
    expect(wrong).toBeDefined();
    expect(JSON.stringify(mistakes('cloudInit: {}', 'network: Nowhere'))).toContain('Nowhere');
  });
});

describe('documents with their defaults', () => {
  const spec = `cloudInit: { userData: ${secret}, networkConfig: ${secret}, hostname: shown }`;
  test('have a digest in the place of a secret', () => {
    const shown = JSON.stringify(effectiveDocuments(bundle(spec), false));
    expect(shown).not.toContain(secret);
    expect(shown).toContain('f52fbd32b2b3b86ff88ef6c490628285f482af15ddcb29541f94bcf526a3f6c7');
    expect(shown).toContain('"shown"');
  });

  test('have it all for whoever asks for it', () => {
    expect(JSON.stringify(effectiveDocuments(bundle(spec), true))).toContain(secret);
  });
});

test('the daemon keeps it beside Secondaries, and a Secondary has none of it', () => {
  const { secondaries } = bundle(`cloudInit: { userData: ${secret} }`);
  expect(JSON.stringify([...secondaries.values()])).not.toContain(secret);
});
