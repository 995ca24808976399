/** What `unnest status` says of the folder of the Partition documents: mistakes in it, and where it is. */
import type { PartitionProblem } from '../../channel/control.ts';
import { type Paint, printable } from './paint.ts';

export function renderProblems(problems: readonly PartitionProblem[], paint: Paint): string {
  return problems
    .map(({ file, code, message }) => {
      // Of the folder itself there is no file.
      const words = [file, code, message]
        .filter((each) => each !== '')
        .map((each) => printable(each));
      return `${paint.red("partitions' folder")}: ${words.join(': ')}\n`;
    })
    .join('');
}

/** @param partitionsDir null: a daemon of before does not say it */
export function renderNone(partitionsDir: string | null): string {
  const folder = printable(partitionsDir ?? "the partitions' folder");
  return `unnestd looks after no partition yet: a Partition document goes to ${folder}/NAME.yaml.\n`;
}
