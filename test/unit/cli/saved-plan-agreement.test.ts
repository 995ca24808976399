/** A plan from a file: whoever edits one knows how to compute a digest, too. */
import { describe, expect, test } from 'vitest';
import { readSavedPlan, writeSavedPlan } from '../../../src/cli/saved-plan.ts';
import type { PlanEntry } from '../../../src/plan/entry.ts';
import type { Operation } from '../../../src/plan/operation.ts';
import type { Plan } from '../../../src/plan/plan.ts';
import { partition } from '../../support/passes.ts';
import { creation, id, mixture, readBack, withEntry, withOperation } from './saved.ts';

type Edit = (plan: Plan) => Plan;

const refused = (make: () => Promise<Plan>, edits: readonly (readonly [string, Edit, string])[]) =>
  test.each(edits)('%s', async (_what, edit, message) => {
    const plan = edit(await make());
    expect(() => readBack(plan)).toThrow(message);
    expect(() => readBack(plan)).toThrow(expect.objectContaining({ exitCode: 4 }));
  });

const hidden = 'does what it does not show';

describe('what is made under a false name is refused', () => {
  refused(creation, [
    [
      'an id twice',
      (plan) => ({ ...plan, operations: [...plan.operations, ...plan.operations.slice(-1)] }),
      hidden,
    ],
    [
      'an id of another kind',
      (plan) => withOperation(plan, 'domain.start/web', { kind: 'domain.resume' }),
      'is domain.resume/web, and has another id',
    ],
    [
      'an id of another resource',
      (plan) =>
        withOperation(plan, 'domain.start/web', { resource: { kind: 'secondary', name: 'db' } }),
      'is domain.start/db, and has another id',
    ],
    [
      'a reservation for somebody else',
      (plan) => withOperation(plan, 'network.reserve/db', { secondary: 'web' }),
      'is network.reserve/web, and has another id',
    ],
    [
      'one that no entry shows',
      (plan) => withEntry(plan, 'web', { operations: ['domain.define/web'] }),
      `${hidden}: domain.start/web`,
    ],
    [
      'one that another entry shows',
      (plan) => {
        const lists = (name: string, operations: string[]) => (at: Plan) =>
          withEntry(at, name, { operations });
        return lists('web', ['domain.define/web'])(
          lists('db', ['domain.define/db', 'domain.start/db', 'domain.start/web'])(plan),
        );
      },
      `${hidden}: domain.start/web`,
    ],
    [
      'an installation that is not the plan’s',
      (plan) =>
        withOperation(plan, 'installation.record', {
          installation: '00000000-0000-4000-8000-000000000000',
        }),
      'records an installation that is not its own',
    ],
  ]);
});

/** As after a crash: the note of the stop stands on it already. */
function noted(plan: Plan): Plan {
  const isNote = (which: string) => which === 'domain.note-stop/web';
  const without = (ids: readonly string[]) => ids.filter((each) => !isNote(each)).map(id);
  return {
    ...plan,
    entries: plan.entries.map((each) =>
      'operations' in each ? { ...each, operations: without(each.operations) } : each,
    ),
    operations: plan.operations
      .filter((each) => !isNote(each.id))
      .map((each) => ({ ...each, after: without(each.after) })),
  };
}

describe('what is destroyed under a harmless word is refused', () => {
  refused(mixture, [
    ['a domain', (plan) => withEntry(plan, 'db', { kind: 'update' }), 'domain.undefine/db'],
    ['a restart', (plan) => withEntry(plan, 'web', { impact: 'live' }), 'domain.note-stop/web'],
    [
      'a stop without a note',
      (plan) => withEntry(noted(plan), 'web', { impact: 'live' }),
      'domain.stop/web',
    ],
    ['a stop as a creation', (plan) => withEntry(plan, 'web', { kind: 'create' }), hidden],
    ['a Volume', (plan) => withEntry(plan, 'data', { kind: 'update' }), 'volume.delete/data'],
    ['an Image', (plan) => withEntry(plan, 'debian', { kind: 'update' }), 'image.delete/debian'],
    [
      'the network',
      (plan) => withEntry(plan, partition, { kind: 'update' }),
      'network.undefine/team-a',
    ],
  ]);
});

describe('what waits for what never comes is refused', () => {
  const waits = (which: string, ...after: readonly string[]): Edit => {
    return (plan) => withOperation(plan, which, { after: after.map(id) });
  };
  refused(creation, [
    ['for nothing', waits('domain.start/web', 'domain.start/nobody'), 'domain.start/web waits for'],
    ['for itself', waits('domain.start/web', 'domain.start/web'), 'waits for itself'],
    ['for later', waits('domain.define/web', 'domain.start/web'), 'domain.define/web waits for'],
    [
      'in a circle',
      (plan) =>
        waits(
          'domain.start/web',
          'domain.start/db',
        )(waits('domain.start/db', 'domain.start/web')(plan)),
      'waits for itself',
    ],
  ]);

  test('in a circle of 20,000, which is found without recursion', async () => {
    const plan = await creation();
    const [first] = plan.operations.filter((each) => each.id === 'domain.define/web');
    const count = 20_000;
    const names = Array.from({ length: count }, (_, index) => `s${index}`);
    const operations = names.map((name, index) => ({
      ...first,
      id: id(`domain.define/${name}`),
      resource: { kind: 'secondary', name },
      after: [id(`domain.define/s${(index + 1) % count}`)],
    })) as unknown as Operation[];
    const entries = operations.map((each) => ({
      ...plan.entries.find(({ resource }) => resource.name === 'web'),
      resource: each.resource,
      operations: [each.id],
    })) as unknown as PlanEntry[];
    const text = writeSavedPlan({
      plan: { ...plan, entries, operations },
      basis: new Map(names.map((name) => [name, 'seen'])),
    });
    expect(() => readSavedPlan(text, 'plan.json', partition)).toThrow('waits for itself');
  });
});
