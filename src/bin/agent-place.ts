/**
 * In a Primary whose agent runs, commands go through it: what it says of itself stands for the variables
 * that nobody has set. On a host, where unnestd's own socket is, it says nothing.
 */
import { existsSync, readFileSync } from 'node:fs';
import * as z from 'zod';

const agentFile = '/run/unnest/agent.json';
const operatorSocket = '/run/unnest/operator.sock';

const agentState = z.looseObject({ socket: z.string(), partition: z.string().nullable() });

export function withAgentPlace(
  variables: ReadonlyMap<string, string>,
  paths = { agentFile, operatorSocket },
): ReadonlyMap<string, string> {
  if (existsSync(paths.operatorSocket)) return variables;
  const state = agentState.safeParse(jsonAt(paths.agentFile));
  if (!state.success) return variables;
  const { socket, partition } = state.data;
  const said = new Map([['UNNEST_SOCKET', socket]]);
  if (partition !== null) said.set('UNNEST_PARTITION', partition);
  return new Map([...said, ...[...variables].filter(([, value]) => value !== '')]);
}

function jsonAt(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return null;
  }
}
