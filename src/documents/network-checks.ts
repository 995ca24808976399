/** Texts of the network and of the processor: subnets, interfaces, sets of CPUs. */
import { textOf } from './schema-parts.ts';

const [prefixMin, prefixMax] = [16, 29];

/** An IPv4 subnet as its own first address, so that there is one way to write each. */
export const cidr = textOf(
  /^(?:\d{1,3}\.){3}\d{1,3}\/\d{1,2}$/,
  `an IPv4 subnet from /${prefixMin} to /${prefixMax}, such as 10.20.0.0/24`,
).superRefine((text, context) => {
  const message = cidrProblem(text) ?? specialProblem(text);
  if (message !== null) context.addIssue({ code: 'custom', message });
});

/** Any IPv4 addresses, from one to all, in the same way. */
export const destination = textOf(
  /^(?:\d{1,3}\.){3}\d{1,3}\/(?:\d|[12]\d|3[0-2])$/,
  'IPv4 addresses with a prefix from /0 to /32, such as 10.0.0.0/8 or 1.1.1.1/32',
).superRefine((text, context) => {
  const message = cidrProblem(text, 0, 32);
  if (message !== null) context.addIssue({ code: 'custom', message });
});

function cidrProblem(text: string, least = prefixMin, most = prefixMax): string | null {
  const [address = '', prefixText = ''] = text.split('/');
  const octets = address.split('.').map(Number);
  const prefix = Number(prefixText);
  if (octets.some((octet) => octet > 255)) return 'four numbers from 0 to 255';
  if (prefix < least || prefix > most) return `a prefix from /${least} to /${most}`;
  const base = networkOf(octets, prefix);
  return base === address ? null : `the first address of the subnet: ${base}/${prefix}`;
}

function specialProblem(text: string): string | null {
  const [first = 0, second] = text.split('.').map(Number);
  const special = first === 0 || first === 127 || first >= 224 || (first === 169 && second === 254);
  return special ? 'addresses that hosts can have (not loopback, link-local or multicast)' : null;
}

function networkOf(octets: readonly number[], prefix: number): string {
  return octets
    .map((octet, index) => {
      const bits = Math.min(8, Math.max(0, prefix - 8 * index));
      return octet & (0xff << (8 - bits)) & 0xff;
    })
    .join('.');
}

/** IFNAMSIZ of Linux is 16 with the end mark. */
export const interfaceName = textOf(
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,14}$/,
  'the name of a network interface: 1 to 15 letters, digits, . _ -',
);

const cpuSetForm = 'CPUs as the kernel lists them, such as 4-7,12';
/** CONFIG_NR_CPUS of Debian's kernels. */
const cpuNumberMax = 8191;

/** cpuset(7), list format; ascending and without overlap, so that there is one way to write each. */
export const cpuSet = textOf(/^\d{1,4}(?:-\d{1,4})?(?:,\d{1,4}(?:-\d{1,4})?)*$/, cpuSetForm)
  .max(1024, 'at most 1024 characters')
  .refine(isAscending, `${cpuSetForm}: ascending, without overlap, up to ${cpuNumberMax}`);

function isAscending(text: string): boolean {
  let last = -1;
  for (const range of text.split(',')) {
    const [from = 0, to = from] = range.split('-').map(Number);
    if (from <= last || to < from || to > cpuNumberMax) return false;
    last = to;
  }
  return true;
}
