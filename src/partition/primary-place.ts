/** Whether the kernel holds a Primary together with its Secondaries: by where libvirt starts it. */
import type { Observed } from '../model/domain.ts';
import { slicePath } from '../model/identity.ts';
import type { ObservedPrimary } from '../model/primary.ts';

type WithPrimary = Observed & {
  readonly primary: { readonly status: 'present'; readonly value: ObservedPrimary };
};

/** Where an operator has left it: libvirt's own choice, most often. */
export function isOutside(observed: Observed): observed is WithPrimary {
  const { primary } = observed;
  return primary.status === 'present' && primary.value.slicePath !== slicePath(observed);
}

/** Its next start is in the slice, wherever it runs now. */
export function comesInside(observed: WithPrimary): boolean {
  return observed.primary.value.nextSlicePath === slicePath(observed);
}
