/** Circles in a directed graph, without recursion: a chain may be as long as a bundle. */

interface Frame<N> {
  readonly node: N;
  readonly rest: Iterator<N>;
}

/**
 * Each circle begins with the member that comes first in `nodes`, and no node is in two of them:
 * of circles that share a member one is found, and the others after it has been mended.
 */
export function findCycles<N>(
  nodes: readonly N[],
  successors: (node: N) => readonly N[],
): readonly (readonly N[])[] {
  const position = new Map(nodes.map((node, index) => [node, index]));
  const done = new Set<N>();
  const told = new Set<N>();
  const cycles: N[][] = [];
  for (const root of nodes) {
    if (done.has(root)) continue;
    walk(root, successors, done, (cycle) => {
      if (cycle.some((node) => told.has(node))) return;
      for (const node of cycle) told.add(node);
      cycles.push(rotate(cycle, position));
    });
  }
  return cycles;
}

function walk<N>(
  root: N,
  successors: (node: N) => readonly N[],
  done: Set<N>,
  onCycle: (cycle: readonly N[]) => void,
): void {
  const path: Frame<N>[] = [{ node: root, rest: successors(root).values() }];
  const depth = new Map<N, number>([[root, 0]]);
  for (let frame = path.at(-1); frame !== undefined; frame = path.at(-1)) {
    const { done: atEnd, value: next } = frame.rest.next();
    if (atEnd) {
      path.pop();
      depth.delete(frame.node);
      done.add(frame.node);
      continue;
    }
    const from = depth.get(next);
    if (from !== undefined) onCycle(path.slice(from).map(({ node }) => node));
    else if (!done.has(next)) {
      depth.set(next, path.length);
      path.push({ node: next, rest: successors(next).values() });
    }
  }
}

function rotate<N>(cycle: readonly N[], position: ReadonlyMap<N, number>): N[] {
  const at = (node: N) => position.get(node) ?? 0;
  const first = cycle.reduce(
    (best, node, index) => (at(node) < at(cycle[best] ?? node) ? index : best),
    0,
  );
  return [...cycle.slice(first), ...cycle.slice(0, first)];
}
