/**
 * `unnest plan` of a converged partition, as a whole process, against other ways to merely read the
 * same domains. What they print is not parsed, let alone compared with anything.
 */
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { subject, takeTurns } from '../measure.ts';
import { type Partition, requireConverged, secondaryName } from '../partition.ts';
import { type Program, runProgram } from '../program.ts';
import { type Row, rowOf, type Target } from '../row.ts';

const pythonFile = fileURLToPath(new URL('../read-all.py', import.meta.url));

export interface PlanSize {
  readonly count: number;
  readonly turns: number;
  /** A process per domain takes long where there are many, and varies little. */
  readonly processPerDomainTurns: number;
  readonly target?: Target;
}

export async function plan(partition: Partition, size: PlanSize): Promise<readonly Row[]> {
  const { count, turns, processPerDomainTurns, target } = size;
  await partition.converge({ count, runPolicy: 'Halted' });
  const names = Array.from(
    { length: count },
    (_, index) => `unnest.${partition.name}.${secondaryName(index)}`,
  );
  const ours = subject('unnest plan', () => runProgram(partition.plan), {
    check: (output) => requireConverged(output(), count),
  });
  const short = [
    ours,
    peer(pythonScript, pythonSaysAll, count),
    peer(virshBatch(names), hasAllXml, count),
  ];
  const [fast, python, batch] = await takeTurns(short, { count: turns, warmUps: 1 });
  const [slow, processes] = await takeTurns([ours, peer(virshProcesses(names), hasAllXml, count)], {
    count: processPerDomainTurns,
    warmUps: 0,
  });
  if (!fast || !python || !batch || !slow || !processes) throw new Error('nothing was measured');
  const name = `plan-${count}`;
  return [
    rowOf(
      { name, samples: fast, target: target ?? null },
      { name: 'python3-libvirt, list + XML + info', samples: python },
    ),
    rowOf({ name, samples: fast }, { name: 'virsh, one process', samples: batch }),
    rowOf({ name, samples: slow }, { name: 'virsh dumpxml, a process each', samples: processes }),
  ];
}

function peer(
  program: Program,
  isComplete: (output: string, count: number) => boolean,
  count: number,
) {
  return subject(program.command, () => runProgram(program), {
    check: (output) => {
      if (isComplete(output(), count)) return;
      throw new Error(`${program.command} did not read ${count} domains`);
    },
  });
}

const pythonScript: Program = { command: '/usr/bin/python3', args: [pythonFile] };

function pythonSaysAll(output: string, count: number): boolean {
  return output.trim() === String(count);
}

function virshBatch(names: readonly string[]): Program {
  const commands = names.map((name) => `dumpxml --inactive ${name}\ndomstate ${name}\n`);
  return { command: 'virsh', args: ['--quiet'], input: inputFile('batch', commands) };
}

function virshProcesses(names: readonly string[]): Program {
  const input = inputFile(
    'names',
    names.map((name) => `${name}\n`),
  );
  return { command: 'xargs', args: ['-n1', 'virsh', '--quiet', 'dumpxml', '--inactive'], input };
}

function hasAllXml(output: string, count: number): boolean {
  return output.split('</domain>').length - 1 === count;
}

function inputFile(name: string, lines: readonly string[]): string {
  const path = join(tmpdir(), `bench-virsh-${name}-${lines.length}`);
  writeFileSync(path, lines.join(''));
  return path;
}
