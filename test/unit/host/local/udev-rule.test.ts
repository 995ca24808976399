/** What udev's own books say of a device. That they say so of ours is seen in the lab (`thin`). */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { stamped } from '../../../../src/host/local/install-stamp.ts';
import {
  isQuiet,
  machineUdev,
  numbersOf,
  UDEV_RULE_PATHS,
  udevRuleText,
} from '../../../../src/host/local/udev-rule.ts';

const flags = ['E:DM_UDEV_DISABLE_DISK_RULES_FLAG=1', 'E:DM_UDEV_DISABLE_OTHER_RULES_FLAG=1'];

test.each([
  [['S:mapper/vg-x', ...flags, 'G:systemd'], true],
  [flags.slice(1), false],
  [flags.slice(0, 1), false],
  [[], false],
  [[...flags, 'E:ID_FS_TYPE=ext4'], false],
  [[...flags, 'E:ID_PART_TABLE_TYPE=gpt'], false],
  [flags.map((flag) => flag.replace('=1', '=0')), false],
])('a device is left alone if its flags say so and nothing was found in it: %o', (said, is) => {
  expect(isQuiet(said.join('\n'))).toBe(is);
});

test.each([
  [0xfd03, '253:3'],
  [0x1110fd70, '253:70000'],
])('the number of a device is split as Linux does: %i', (rdev, words) => {
  expect(numbersOf(rdev)).toBe(words);
});

function machine(files: Readonly<Record<string, string>>) {
  const root = mkdtempSync(join(tmpdir(), 'unnest-udev-'));
  onTestFinished(() => rmSync(root, { recursive: true }));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return machineUdev(root);
}

const rule = stamped(udevRuleText());
const [first, second] = UDEV_RULE_PATHS;

test('the rule has to be there, at both places, as this version has it', async () => {
  const control = { '/run/udev/control': '' };
  const whole = { ...control, [first]: rule, [second]: rule };
  await expect(machine(whole).requireRule()).resolves.toBeUndefined();
  for (const files of [
    control,
    { ...control, [first]: rule },
    { ...control, [second]: rule },
    { ...whole, [second]: rule.replace('unnest.*', 'none.*') },
  ]) {
    await expect(machine(files).requireRule()).rejects.toMatchObject({ code: 'Refused' });
  }
});

test('where there is no udev nobody has to be told', async () => {
  const udev = machine({});
  await expect(udev.requireRule()).resolves.toBeUndefined();
  await expect(udev.requireQuiet('/dev/null')).resolves.toBeUndefined();
});

test('a device that udev knows nothing of is not left alone', async () => {
  const udev = machine({ '/run/udev/control': '' });
  await expect(udev.requireQuiet('/dev/null')).rejects.toMatchObject({ code: 'Refused' });
  const told = { '/run/udev/control': '', '/run/udev/data/b1:3': flags.join('\n') };
  await expect(machine(told).requireQuiet('/dev/null')).resolves.toBeUndefined();
});
