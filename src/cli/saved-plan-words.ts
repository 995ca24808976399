/** Which words of a plan's entry stand for which operations: nothing is lost under any other. */
import type { Impact } from '../diff/fields.ts';
import type { Resource, ResourceKind } from '../model/resource.ts';
import type { OperationKind } from '../plan/operation.ts';

type Word = 'create' | 'update' | 'delete' | `update, ${Impact}`;

interface Words {
  readonly of: ResourceKind;
  readonly under: readonly Word[];
}

export interface ShownEntry {
  readonly kind: 'create' | 'update' | 'delete';
  readonly resource: Resource;
  readonly impact: Impact;
}

export function isShown(operation: OperationKind, { kind, resource, impact }: ShownEntry): boolean {
  return wordsFor[operation].some(
    ({ of, under }) =>
      of === resource.kind && under.some((word) => word === kind || word === `${kind}, ${impact}`),
  );
}

/** Empty: about the whole installation, and in no entry. */
const wordsFor: { readonly [K in OperationKind]: readonly Words[] } = {
  'installation.record': [],
  'domain.define': [{ of: 'secondary', under: ['create', 'update'] }],
  'domain.set-memory': [{ of: 'secondary', under: ['update'] }],
  'domain.start': [{ of: 'secondary', under: ['create', 'update'] }],
  'domain.resume': [{ of: 'secondary', under: ['update'] }],
  'domain.stop': [{ of: 'secondary', under: ['delete', 'update, restart', 'update, stop'] }],
  'domain.await-ready': [{ of: 'secondary', under: ['create', 'update'] }],
  'domain.note-stop': [{ of: 'secondary', under: ['delete', 'update, restart', 'update, stop'] }],
  'domain.forget-stop': [{ of: 'secondary', under: ['update'] }],
  'domain.undefine': [{ of: 'secondary', under: ['delete'] }],
  'domain.attach-disk': [{ of: 'secondary', under: ['update, live'] }],
  'domain.detach-disk': [{ of: 'secondary', under: ['update, live'] }],
  'domain.grow-disk': [{ of: 'volume', under: ['update'] }],
  'volume.create': [{ of: 'volume', under: ['create'] }],
  'volume.grow': [{ of: 'volume', under: ['update'] }],
  'volume.set-deletion-policy': [{ of: 'volume', under: ['update'] }],
  // Under `create` it is what a crash has left of one.
  'volume.delete': [{ of: 'volume', under: ['delete', 'create'] }],
  'intake.create': [{ of: 'intake', under: ['create'] }],
  'intake.delete': [
    { of: 'intake', under: ['create', 'delete'] },
    { of: 'image', under: ['create', 'update, replace'] },
  ],
  'primary.lend-disk': [{ of: 'intake', under: ['create', 'update'] }],
  'primary.take-disk': [
    { of: 'intake', under: ['create', 'update', 'delete'] },
    { of: 'image', under: ['create', 'update, replace'] },
  ],
  'intake.fill': [{ of: 'image', under: ['create', 'update, replace'] }],
  'image-disk.create': [{ of: 'image-disk', under: ['create'] }],
  'image-disk.rework': [{ of: 'image-disk', under: ['update'] }],
  // Under `create` it is what a crash has left of one.
  'image-disk.delete': [{ of: 'image-disk', under: ['create', 'delete'] }],
  'primary.lend-image-disk': [{ of: 'image-disk', under: ['create', 'update'] }],
  'primary.take-image-disk': [{ of: 'image-disk', under: ['update', 'delete'] }],
  'image.verify': [{ of: 'image', under: ['update, replace'] }],
  'image.import': [{ of: 'image', under: ['create', 'update, replace'] }],
  'image.delete': [{ of: 'image', under: ['delete', 'create', 'update, replace'] }],
  'seed.create': [{ of: 'seed', under: ['create'] }],
  // Under `create` it is what a crash has left of one.
  'seed.delete': [{ of: 'seed', under: ['delete', 'create'] }],
  'primary.set-vcpus': [{ of: 'primary', under: ['update'] }],
  'primary.set-memory': [{ of: 'primary', under: ['update'] }],
  'primary.plug': [{ of: 'nic', under: ['create', 'update'] }],
  'primary.unplug': [{ of: 'nic', under: ['update', 'delete'] }],
  'slice.apply': [{ of: 'slice', under: ['create', 'update'] }],
  'slice.remove': [{ of: 'slice', under: ['delete'] }],
  'filter.apply': [{ of: 'filter', under: ['create', 'update'] }],
  'filter.close': [{ of: 'filter', under: ['create', 'update'] }],
  'filter.remove': [{ of: 'filter', under: ['delete'] }],
  'network.define': [{ of: 'network', under: ['create', 'update'] }],
  'network.start': [{ of: 'network', under: ['create', 'update'] }],
  'network.stop': [{ of: 'network', under: ['delete', 'update'] }],
  'network.undefine': [{ of: 'network', under: ['delete'] }],
  'network.reserve': [{ of: 'network', under: ['create', 'update'] }],
  'network.unreserve': [{ of: 'network', under: ['update', 'delete'] }],
};
