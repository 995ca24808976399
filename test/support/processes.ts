/** Processes as the kernel tells of them, for tests and figures. */
import { readdirSync, readFileSync } from 'node:fs';

/** @returns null: it has ended */
function parentOf(pid: number): number | null {
  const fields = statFields(pid);
  return fields === null || fields[0] === 'Z' ? null : Number(fields[1]);
}

/** Behind the name, which may hold anything: state, parent, ... @see proc_pid_stat(5) */
export function statFields(pid: number): readonly string[] | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}

export function isAlive(pid: number): boolean {
  return parentOf(pid) !== null;
}

/** Its children, theirs, and so on. */
export function descendantsOf(pid: number): readonly number[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const children = pids.map(Number).filter((each) => parentOf(each) === pid);
  return children.flatMap((child) => [child, ...descendantsOf(child)]);
}
