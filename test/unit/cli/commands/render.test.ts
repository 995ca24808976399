import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseBundle } from '../../../../src/documents/bundle.ts';
import { documentOf, secondaryDocument } from '../../documents/parsing.ts';
import { validDocuments } from '../../documents/valid-documents.ts';
import { run } from '../run.ts';

const web = `apiVersion: unnest.dev/v1
kind: Secondary
metadata: { name: web }
spec:
  replicas: 2
  vcpus: 1
  memory: 512MiB
  boot:
    kernel: { file: vmlinuz, commandLine: "host=$(name) # 1" }
  startAfter: [db]
`;
const db = secondaryDocument('db', 'replicas: 2');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'unnest-render-'));
  writeFileSync(join(folder, 'web.yaml'), web);
  writeFileSync(join(folder, 'db.yaml'), db);
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('unnest render', () => {
  test('has defaults and replicas, and says where each value comes from', async () => {
    const { code, stdout } = await run(['render', '-f', folder]);
    expect(code).toBe(0);
    const file = join(folder, 'web.yaml');
    expect(stdout.split('---\n').at(-1)).toBe(`apiVersion: unnest.dev/v1 # ${file}:1
kind: Secondary # ${file}:2
metadata:
  name: web-1 # ${file}:3
spec:
  vcpus: 1 # ${file}:6
  memory: 512MiB # ${file}:7
  boot:
    kernel:
      file: vmlinuz # ${file}:9
      commandLine: "host=web-1 # 1" # ${file}:9
  disks: [] # default
  network: None # default
  serialConsole: true # default
  guestAgent: false # default
  runPolicy: Always # default
  updatePolicy: Staged # default
  terminationGracePeriodSeconds: 30 # default
  forceStop: true # default
  protect: false # default
  startAfter: [db-0, db-1] # ${file}:10
  readiness: Running # default
`);
  });

  test('says the same as JSON', async () => {
    const { stdout } = await run(['render', '-f', folder, '-o', 'json', '-p', 'team-a']);
    const { partition, items } = JSON.parse(stdout) as {
      partition: string;
      items: { document: object; origins: object }[];
    };
    expect(partition).toBe('team-a');
    expect(items.at(-1)).toMatchObject({
      document: { metadata: { name: 'web-1' }, spec: { startAfter: ['db-0', 'db-1'] } },
      origins: { 'spec.memory': `${join(folder, 'web.yaml')}:7`, 'spec.protect': 'default' },
    });
  });

  test('takes what cannot be applied yet, and says so beside it', async () => {
    const stdin =
      documentOf('Volume', 'data', ['size: 1GiB']) +
      documentOf('Partition', 'team-a', ['policy: { devices: [gpu] }']);
    const { code, stdout, stderr } = await run(['render', '-f', '-'], { stdin });
    expect(code).toBe(0);
    expect(stdout).toContain('deletionPolicy: Retain # default');
    expect(stderr).toMatch(/^-:14:13: NotYetSupported: this is valid, and cannot be applied/);
  });

  test.each([
    ['replicas and their order', web + db],
    ['all kinds', validDocuments.map((each) => `---\n${JSON.stringify(each)}\n`).join('') + db],
    [
      'texts that look like something else',
      [
        'true',
        'no',
        'Null',
        '~',
        '1',
        '1.5',
        '0x10',
        '',
        ' a',
        'a: b',
        '- a',
        '# a',
        '"',
        "'",
        '|',
        '*a',
        '&a',
        '!a',
        '%a',
        '@a',
        '`',
        '{',
        '[',
        'a\nb',
        'a\u2028b',
        '\u0085',
        '\ud83d\ude00',
        '---',
        'é',
        '\\n',
      ]
        .map((text, index) =>
          secondaryDocument(`v${index}`).replace(
            `name: v${index}`,
            `name: v${index}\n  labels: { t: ${JSON.stringify(text)}, "true": "1" }`,
          ),
        )
        .join(''),
    ],
  ])('what it prints means the same: %s', async (_what, text) => {
    const stdin = text;
    const all = ['render', '--show-sensitive', '-f', '-'];
    const { stdout, code } = await run(all, { stdin });
    expect(code).toBe(0);
    expect(secondariesOf(stdout)).toEqual(secondariesOf(stdin));
    expect((await run(all, { stdin: stdout })).stdout.replace(/ # .*/g, '')).toBe(
      stdout.replace(/ # .*/g, ''),
    );
  });

  test.each(['yaml', 'json'])(
    'shows no secret unasked, and what it shows is taken for none: %s',
    async (output) => {
      const stdin = secondaryDocument('web', 'cloudInit: { userData: hunter2 }');
      const { stdout } = await run(['render', '-f', '-', '-o', output], { stdin });
      expect(stdout).not.toContain('hunter2');
      expect(stdout).toContain('f52fbd32b2b3b86ff88ef6c490628285f482af15ddcb29541f94bcf526a3f6c7');
      expect(await run(['render', '-f', '-'], { stdin: stdout })).toMatchObject({ code: 4 });
      const all = await run(['render', '-f', '-', '-o', output, '--show-sensitive'], { stdin });
      expect(all.stdout).toContain('hunter2');
    },
  );

  test('refuses what is not valid', async () => {
    expect(await run(['render', '-f', '-'], { stdin: '- a' })).toMatchObject({
      code: 4,
      stdout: '',
    });
  });
});

function secondariesOf(text: string) {
  const parsed = parseBundle([{ path: '-', text }], null);
  return parsed.ok ? [...parsed.bundle.secondaries.values()] : parsed.diagnostics;
}
