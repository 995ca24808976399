/** The machine's files against the contract. */
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { machineRuntime } from '../../../src/daemon/machine/machine-runtime.ts';
import { filesContract } from '../../contract/runtime-contract.ts';

filesContract('the machine', async () => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'unnest-files-')));
  return {
    files: machineRuntime().files,
    root,
    write: (path, content) => {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content);
    },
    folder: (path) => void mkdirSync(path, { recursive: true }),
    link: (path, target) => {
      symlinkSync(target, `${path}.tmp`);
      renameSync(`${path}.tmp`, path);
    },
    rename: renameSync,
    exchange: (from, to) => {
      renameSync(to, `${to}.old`);
      renameSync(from, to);
      renameSync(`${to}.old`, from);
    },
    remove: (path) => rmSync(path, { recursive: true, force: true }),
    other: (path) => void execFileSync('mkfifo', [path]),
    dispose: async () => rmSync(root, { recursive: true, force: true }),
  };
});
