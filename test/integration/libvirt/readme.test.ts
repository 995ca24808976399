/** The examples of the library's README, run one by one as programs. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Connection, connect, type Domain, type Network } from '../../../src/libvirt/index.ts';
import { deadXml, tmp } from './rig.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const readme = readFileSync(`${root}/src/libvirt/README.md`, 'utf8');
const examples = [...readme.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = '']) => code);

let connection: Connection;
let web: Domain;
let network: Network;

beforeAll(async () => {
  connection = await connect();
  web = await connection.domains.define(deadXml('web'));
  network = await connection.networks.define(
    `<network><name>default</name><bridge name='lvreadme'/><ip address='10.66.0.1' prefix='24'/></network>`,
  );
});

afterAll(async () => {
  await connection.domains.undefine(web);
  await connection.networks.undefine(network);
  connection.close();
});

/** `// text` behind a `console.log` is what it prints. */
const promised = (code: string) =>
  [...code.matchAll(/console\.log\(.*\); \/\/ (?!it has)(.*)$/gm)].map(([, text = '']) => text);

test.each(examples.map((code, index) => [index + 1, code] as const))(
  'example %d runs',
  (index, code) => {
    const file = `${tmp}/readme-${index}.mts`;
    writeFileSync(file, code.replace("'unnest/libvirt'", `'${root}/src/libvirt/index.ts'`));
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', 'tsx', file], {
      cwd: root,
      encoding: 'utf8',
      timeout: 60_000,
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    for (const line of promised(code)) expect(stdout).toContain(line);
  },
);

test('there are examples', () => {
  expect(examples.length).toBeGreaterThan(8);
});
