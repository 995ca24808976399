/**
 * `unnest host install` on a machine with systemd, or in the root of an image. There is no list of
 * what was installed: stamps in the files say it, so that an image may be built by any means.
 */
import { join } from 'node:path';
import type { Installer, InstallRequest, InstallStep } from '../installer.ts';
import { look, makeFolder, removeEmptyFolder, removeFile, writeWhole } from './install-files.ts';
import {
  stepForFile,
  stepForFolder,
  stepToRemoveFile,
  stepToRemoveFolder,
  type WantedFile,
  type WantedFolder,
} from './install-plan.ts';
import { stamped } from './install-stamp.ts';
import { configText, sysusersText, unitText } from './install-texts.ts';
import { writableByOthers } from './install-trust.ts';
import { runProgram } from './run-program.ts';
import { UDEV_RULE_PATHS, udevRuleText } from './udev-rule.ts';

const unitName = 'unnestd.service';

export function localInstaller(programs: Pick<Installer, 'node' | 'program'>): Installer {
  return { ...programs, planInstall, planUninstall, carryOut };
}

async function planInstall(request: InstallRequest): Promise<readonly InstallStep[]> {
  const { root, force } = request;
  const open = await openProgram(request);
  const { unit, sysusers, config, rules } = filesOf(request);
  const file = async (wanted: WantedFile) =>
    stepForFile(wanted, await look(root, wanted.path), force);
  const sysusersStep = await file(sysusers);
  const unitStep = open ?? (await file(unit));
  const folderSteps = await inOrder(foldersOf(root), async (folder) =>
    stepForFolder(folder, await look(root, folder.path)),
  );
  return [
    sysusersStep,
    ...(root === '/' && !(await hasGroup()) ? [makeGroup] : []),
    ...folderSteps,
    await file(config),
    ...(await inOrder(rules, file)),
    unitStep,
    ...(unitStep.kind === 'write-file' && (await systemdRuns(root)) ? [reload] : []),
  ];
}

async function planUninstall(request: InstallRequest): Promise<readonly InstallStep[]> {
  const { root, force } = request;
  const { unit, sysusers, config, rules } = filesOf(request);
  const remove = async (wanted: WantedFile) =>
    stepToRemoveFile(wanted, await look(root, wanted.path), force);
  const unitStep = await remove(unit);
  const runs = unitStep?.kind === 'remove-file' && (await systemdRuns(root));
  const fileSteps = [
    await remove(sysusers),
    await remove(config),
    ...(await inOrder(rules, remove)),
  ];
  const goes = new Set([...fileSteps].flatMap((step) => goneBy(step)));
  const folders = await inOrder(foldersOf(root).toReversed(), async (folder) => {
    const step = stepToRemoveFolder(folder, await look(root, folder.path), goes);
    for (const path of goneBy(step)) goes.add(path);
    return step;
  });
  return [
    ...(runs ? [disable] : []),
    unitStep,
    ...(runs ? [reload] : []),
    ...fileSteps,
    ...folders,
    ...(root === '/' && (await hasGroup()) ? [keepGroup] : []),
  ].filter((step) => step !== null);
}

function goneBy(step: InstallStep | null): readonly string[] {
  return step?.kind === 'remove-file' || step?.kind === 'remove-folder' ? [step.path] : [];
}

async function carryOut(step: InstallStep): Promise<string | null> {
  switch (step.kind) {
    case 'make-folder':
      await makeFolder(step.path, step.mode);
      return null;
    case 'write-file':
      await writeWhole(step.path, step.content);
      return null;
    case 'remove-file':
      await removeFile(step.path);
      return null;
    case 'remove-folder':
      return (await removeEmptyFolder(step.path)) ? null : 'there is something in it by now';
    case 'run':
      await runProgram({ ...step, ...programLimits, signal: new AbortController().signal });
      return null;
    case 'keep':
    case 'conflict':
      return null;
  }
}

const programLimits = {
  remedy: 'this needs systemd; `--root` only writes the files',
  // A stop of the daemon waits until what is under way has finished.
  timeLimitMs: 120_000,
  outputBytesMax: 2 ** 20,
} as const;

function filesOf(request: InstallRequest): Readonly<
  Record<'unit' | 'sysusers' | 'config', WantedFile>
> & {
  readonly rules: readonly WantedFile[];
} {
  const at = (path: string) => join(request.root, path);
  return {
    sysusers: { path: at(sysusersPath), content: stamped(sysusersText()), owner: 'ours' },
    config: {
      path: at('/etc/unnest/unnestd.yaml'),
      content: stamped(configText(request)),
      owner: 'operator',
    },
    rules: UDEV_RULE_PATHS.map((path) => ({
      path: at(path),
      content: stamped(udevRuleText()),
      owner: 'ours',
    })),
    unit: {
      path: at(`/etc/systemd/system/${unitName}`),
      content: stamped(unitText(request)),
      owner: 'ours',
    },
  };
}

/** Parents first. */
function foldersOf(root: string): readonly WantedFolder[] {
  return [
    { path: join(root, '/etc/unnest'), mode: 0o755 },
    { path: join(root, '/etc/unnest/partitions'), mode: 0o755 },
    { path: join(root, '/etc/unnest/desired'), mode: 0o750 },
    // QEMU runs as another user and has to get to its disks; nobody has to see what else there is.
    { path: join(root, '/var/lib/unnest'), mode: 0o711 },
  ];
}

const sysusersPath = '/etc/sysusers.d/unnest.conf';
const makeGroup: InstallStep = { kind: 'run', command: 'systemd-sysusers', args: [sysusersPath] };
const reload: InstallStep = { kind: 'run', command: 'systemctl', args: ['daemon-reload'] };
const disable: InstallStep = {
  kind: 'run',
  command: 'systemctl',
  args: ['disable', '--now', unitName],
};
const keepGroup: InstallStep = { kind: 'keep', path: 'group unnest', because: 'owns-files' };

async function hasGroup(): Promise<boolean> {
  const found = await look('/', '/etc/group');
  return found.kind === 'file' && /^unnest:/m.test(found.content);
}

/** As sd_booted(3) finds it out. */
async function systemdRuns(root: string): Promise<boolean> {
  return root === '/' && (await look('/', '/run/systemd/system')).kind === 'folder';
}

/** Instead of the unit, which would hand root to somebody else; null: there is no such thing. */
async function openProgram(request: InstallRequest): Promise<InstallStep | null> {
  const { root, node, program, force } = request;
  const found = await inOrder([node, program], (path) => writableByOthers(root, path));
  const path = found.find((each) => each !== null) ?? null;
  return path === null || force ? null : { kind: 'conflict', path, because: 'open-to-others' };
}

async function inOrder<A, B>(items: readonly A[], act: (item: A) => Promise<B>): Promise<B[]> {
  const results: B[] = [];
  for (const item of items) results.push(await act(item));
  return results;
}
