/** The files in memory against the contract, so that tests on them say something of real ones. */
import { VirtualDisk } from '../../support/virtual-disk.ts';
import { virtualFiles } from '../../support/virtual-files.ts';
import { filesContract } from '../../contract/runtime-contract.ts';

filesContract('a disk in memory', async () => {
  const disk = new VirtualDisk();
  disk.folder('/r');
  return {
    files: virtualFiles(disk),
    root: '/r',
    write: (path, content) => disk.write(path, content),
    folder: (path) => disk.folder(path),
    link: (path, target) => disk.link(path, target),
    rename: (from, to) => disk.rename(from, to),
    exchange: (from, to) => disk.exchange(from, to),
    remove: (path) => disk.remove(path),
    other: (path) => disk.other(path),
    dispose: async () => {},
  };
});
