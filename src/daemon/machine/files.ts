/** The machine's files, as the daemon may use them. */
import type { Files } from '../runtime.ts';
import { factsOf, listFolder, readFile, resolvePath } from './read-file.ts';
import { watchFolder } from './watch-folder.ts';
import { appendTo, makeFolder, removeFile, writeWhole } from './write-file.ts';

export const machineFiles: Files = {
  read: readFile,
  list: listFolder,
  facts: factsOf,
  resolve: resolvePath,
  replace: (path, content, mode) => writeWhole(path, content, mode, true),
  swap: (path, content, mode) => writeWhole(path, content, mode, false),
  append: appendTo,
  remove: removeFile,
  makeFolder,
  watch: watchFolder,
};
