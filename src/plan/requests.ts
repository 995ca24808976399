/**
 * Wishes for once, laid over what the documents ask for. To ask for a start or a stop that is so
 * already leaves no trace; a restart is one whenever it is asked for, so whoever asks takes it back.
 */
import type { Change, Changes, PowerRequest, UpdateChange } from '../diff/change.ts';
import type { SecondaryName } from '../model/names.ts';

type Requests = ReadonlyMap<SecondaryName, PowerRequest>;

export function withRequests(changes: Changes, requests: Requests): Changes {
  if (requests.size === 0) return changes;
  const secondaries = changes.secondaries.map((change) => {
    const request = requests.get(change.name);
    return request === undefined ? change : asking(change, request);
  });
  return { ...changes, secondaries };
}

function asking(change: Change, request: PowerRequest): Change {
  switch (change.kind) {
    case 'blocked':
    case 'delete':
      return change;
    case 'create':
      if (request === 'stop' || change.secondary.runPolicy === 'Halted') return change;
      return { ...change, asked: request };
    case 'update': {
      const asked = askingUpdate(change, request);
      // It was not going to be started, so nobody has yet said why it could not be.
      if (asked.asked === null || asked.asked === 'stop' || asked.unstartable === null)
        return asked;
      return { kind: 'blocked', name: asked.name, block: asked.unstartable };
    }
  }
}

function askingUpdate(change: UpdateChange, request: PowerRequest): UpdateChange {
  const { secondary, observed } = change;
  const { status } = observed.power;
  if (secondary.runPolicy === 'Halted') return change;
  switch (request) {
    case 'stop':
      if (secondary.runPolicy !== 'Manual' || status === 'stopped') return change;
      return { ...change, power: 'stop', asked: request };
    case 'start':
      if (status === 'stopped') return { ...change, power: 'start', asked: request };
      return status === 'paused' ? { ...change, power: 'resume', asked: request } : change;
    case 'restart':
      return { ...change, power: status === 'stopped' ? 'start' : change.power, asked: request };
  }
}
