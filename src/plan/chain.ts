/** The operations for one resource, each after the one before it. */
import type { Resource } from '../model/resource.ts';
import {
  type Operation,
  type OperationArgs,
  type OperationId,
  operationId,
  type OperationKind,
  type Phase,
} from './operation.ts';

export class Chain {
  readonly operations: Operation[] = [];
  readonly #resource: Resource;

  constructor(kind: Resource['kind'], name: string) {
    this.#resource = { kind, name };
  }

  add<K extends OperationKind>(kind: K, phase: Phase, args: OperationArgs[K]): void {
    const previous = this.operations.at(-1);
    this.addAfter(
      previous === undefined ? [] : [previous.id],
      kind,
      this.#resource.name,
      phase,
      args,
    );
  }

  /** One that does not wait for those before it, under a name of its own. */
  addAfter<K extends OperationKind>(
    after: readonly OperationId[],
    kind: K,
    name: string,
    phase: Phase,
    args: OperationArgs[K],
  ): void {
    const base = { kind, id: operationId(kind, name), resource: this.#resource, phase, after };
    // TypeScript cannot see that one K pairs both halves of the union's member.
    this.operations.push({ ...base, ...args } as unknown as Operation);
  }
}
