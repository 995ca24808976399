/** What a guest is told at its first boot, by cloud-init or by Ignition. Secrets may be in it. */
import * as z from 'zod';
import { parsedJson } from './parsed-json.ts';
import { field, listOf, SECRET, textOf } from './schema-parts.ts';

const kibibyte = 2 ** 10;
const userDataBytesMax = 64 * kibibyte;
const networkConfigBytesMax = 64 * kibibyte;
const ignitionBytesMax = 256 * kibibyte;
const sshAuthorizedKeysMax = 64;
/** Of a certificate, or a key of RSA with 16,384 bits. */
const sshKeyCharactersMax = 8192;

const encoder = new TextEncoder();

/** Half characters have no bytes that a guest could be given. */
const bytesText = (bytesMax: number) => {
  const error = `at most ${bytesMax / kibibyte} KiB of text`;
  return z
    .string(error)
    .refine((text) => text.length <= bytesMax && encoder.encode(text).length <= bytesMax, {
      error,
      abort: true,
    })
    .refine((text) => !/\p{Cs}/u.test(text), 'text without half characters (lone surrogates)')
    .meta({ expects: error });
};

/** That it is one once the name is filled in, `first-boot.ts` sees to. */
const hostname = textOf(
  /^(?:[a-z0-9.-]|\$\(name\)){1,253}$/,
  'a host name in lower case, in which $(name) may stand for the name of the Secondary',
);

/** As sshd reads it, without options: it stands in a line of its own. */
const sshKey = textOf(
  /^(?=.{1,8192}$)(?:ssh-(?:ed25519|rsa)|ecdsa-sha2-nistp(?:256|384|521)|sk-ssh-ed25519@openssh\.com|sk-ecdsa-sha2-nistp256@openssh\.com) [A-Za-z0-9+/]{16,}={0,3}(?: [\x20-\x7e]*)?$/,
  `a public key as in authorized_keys, such as "ssh-ed25519 AAAA... me@home", of at most ${sshKeyCharactersMax} characters`,
);

const cloudInit = z.strictObject({
  userData: field(
    bytesText(userDataBytesMax).default(''),
    {
      description:
        'What cloud-init is to do (NoCloud): `#cloud-config`, a script and so on. The guest gets it byte by byte; nothing in it is replaced.',
      change: 'restart',
    },
    SECRET,
  ),
  networkConfig: field(
    bytesText(networkConfigBytesMax).optional(),
    {
      description:
        'How its NICs are set up, in the version 1 or 2 of cloud-init. Without it the guest asks for its address by DHCP.',
      change: 'restart',
    },
    SECRET,
  ),
  hostname: field(hostname.default('$(name)'), {
    description: 'What it is called. $(name) stands for the name of the Secondary.',
    change: 'restart',
  }),
  sshAuthorizedKeys: field(listOf(sshKey, sshAuthorizedKeysMax).default([]), {
    description: "Whose SSH keys may log in as the image's first user.",
    change: 'restart',
  }),
});

const ignition = z.strictObject({
  config: field(
    bytesText(ignitionBytesMax).refine(
      isIgnition,
      'JSON with ignition.version, such as `butane` writes',
    ),
    {
      description:
        'The configuration, in JSON. The guest gets it byte by byte, by QEMU (opt/com.coreos/config).',
      change: 'restart',
    },
    SECRET,
  ),
});

export const cloudInitField = field(cloudInit.optional(), {
  description: 'What cloud-init finds at its first boot. Not beside ignition.',
  change: 'restart',
});

export const ignitionField = field(ignition.optional(), {
  description:
    'What Ignition (Fedora CoreOS, Flatcar) finds at its first boot. Not beside cloudInit.',
  change: 'restart',
});

function isIgnition(text: string): boolean {
  const value = parsedJson(text);
  const version = value?.get('ignition');
  return (
    typeof version === 'object' &&
    version !== null &&
    'version' in version &&
    typeof version.version === 'string'
  );
}
