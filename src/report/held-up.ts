/** Whom the failure of another keeps from getting on. */
import { resourceKey } from '../model/resource.ts';
import type { Operation, OperationId } from '../plan/operation.ts';

/**
 * By `resourceKey`, the key of the one that fails and is waited for, however many stand between.
 * @param operations in execution order
 */
export function heldUpBy(
  operations: readonly Operation[],
  failures: ReadonlyMap<string, unknown>,
): ReadonlyMap<string, string> {
  const causes = new Map<OperationId, string>();
  const heldUp = new Map<string, string>();
  for (const { id, resource, after } of operations) {
    const key = resource === null ? null : resourceKey(resource);
    const inherited = after.map((each) => causes.get(each)).find((each) => each !== undefined);
    const cause = key !== null && failures.has(key) ? key : inherited;
    if (cause === undefined) continue;
    causes.set(id, cause);
    if (key !== null && cause !== key) heldUp.set(key, cause);
  }
  return heldUp;
}
