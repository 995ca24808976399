/** The operations for where an Image's bytes come in. */
import type { IntakeChange, Lent } from '../diff/change.ts';
import type { FieldChange } from '../diff/fields.ts';
import type { Intake } from '../model/intake.ts';
import type { ImageName } from '../model/names.ts';
import { Chain } from './chain.ts';
import type { DeletionContext } from './steps.ts';
import type { Steps } from './work.ts';

type Of<K extends IntakeChange['kind']> = Extract<IntakeChange, { kind: K }>;

export function intakeCreateSteps({ name, intake, remains, borrower }: Of<'create'>): Steps {
  const chain = new Chain('intake', name);
  if (remains !== null) {
    addTakingBack(chain, name, remains);
    chain.add('intake.delete', 'release', { image: name });
  }
  chain.add('intake.create', 'provision', { intake });
  if (borrower !== null) {
    chain.add('primary.lend-disk', 'provision', { primary: borrower, image: name });
  }
  const whyNew = remains?.observed.state === 'ready' ? 'document-changed' : 'half-made';
  return {
    impact: 'none',
    reasons: [remains === null ? 'not-on-host' : whyNew],
    fields: [roomField(intake)],
    waiting: [],
    operations: chain.operations,
  };
}

/** Its disk is lent again to a Primary that was started anew, or whose bytes were not those of the Image. */
export function intakeUpdateSteps({ name, observed, borrower, from }: Of<'update'>): Steps {
  const chain = new Chain('intake', name);
  addTakingBack(chain, name, { observed, borrower: from });
  if (borrower !== null) {
    chain.add('primary.lend-disk', 'provision', { primary: borrower, image: name });
  }
  return {
    impact: 'none',
    reasons: chain.operations.length === 0 ? [] : ['not-lent'],
    fields: [],
    waiting: [],
    operations: chain.operations,
  };
}

export function intakeDeleteSteps(
  { name, ...lent }: Of<'delete'>,
  { deletionReason }: DeletionContext,
): Steps {
  const chain = new Chain('intake', name);
  addTakingBack(chain, name, lent);
  chain.add('intake.delete', 'release', { image: name });
  return {
    impact: 'none',
    reasons: [lent.observed.state === 'ready' ? deletionReason : 'half-made'],
    fields: [],
    waiting: [],
    operations: chain.operations,
  };
}

export function addTakingBack(chain: Chain, image: ImageName, { borrower }: Lent): void {
  if (borrower === null) return;
  chain.add('primary.take-disk', 'release', { primary: borrower, image });
}

function roomField({ kind, sizeBytes }: Intake): FieldChange {
  const path = `spec.source.${kind}.bytes`;
  return {
    field: 'sizeBytes',
    path,
    from: null,
    to: sizeBytes,
    impact: 'none',
    origin: 'document',
  };
}
