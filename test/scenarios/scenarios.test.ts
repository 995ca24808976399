/**
 * Each folder here is one story: `desired.yaml` and `observed.json` in, `plan.txt` out, exactly as
 * a person would read it. `vitest -u` writes the plans anew; read the difference before you commit.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { plain } from '../../src/cli/render/paint.ts';
import { renderPlan } from '../../src/cli/render/plan.ts';
import { parseDocuments } from '../../src/documents/desired-state.ts';
import { domainName, secondaryUuid } from '../../src/model/identity.ts';
import type { DomainFields, Power } from '../../src/model/domain.ts';
import { fieldsOf } from '../../src/model/domain.ts';
import type { SecondaryName } from '../../src/model/names.ts';
import type { Secondary } from '../../src/model/secondary.ts';
import { type MemoryDomain, memoryHost, type World } from '../support/memory-host.ts';
import { installation, partition, planPass, secondary } from '../support/passes.ts';

/** What a story says of the host; what it leaves out is as `quickstart` would have made it. */
interface Story {
  readonly files?: readonly string[];
  readonly recorded?: boolean;
  readonly unreadable?: readonly string[];
  readonly deleteEverything?: boolean;
  readonly maxDeletions?: number;
  readonly domains?: Readonly<Record<string, StoryDomain>>;
}

interface StoryDomain {
  /** What its document said when it was last applied, beyond `quickstart`. */
  readonly document?: Partial<Secondary>;
  readonly power?: Power;
  readonly persistent?: boolean;
  readonly owner?: 'foreign' | 'other-partition';
  readonly defined?: Partial<DomainFields>;
  readonly live?: Partial<DomainFields>;
}

const folder = import.meta.dirname;
const stories = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());

describe('stories', () => {
  test.each(stories.map(({ name }) => name))('%s', async (name) => {
    const read = (file: string) => readFileSync(join(folder, name, file), 'utf8');
    const parsed = parseDocuments(
      [{ path: 'desired.yaml', text: read('desired.yaml') }],
      partition,
    );
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.diagnostics));
    const story = JSON.parse(read('observed.json')) as Story;
    const host = memoryHost(worldOf(story));
    for (const each of story.unreadable ?? []) {
      host.unreadable.add(domainName(partition, each as SecondaryName));
    }
    const plan = await planPass(host, parsed.desired, story.deleteEverything, story.maxDeletions);
    await expect(renderPlan(plan, plain)).toMatchFileSnapshot(join(folder, name, 'plan.txt'));
    expect(host.writes).toEqual([]);
  });
});

function worldOf({
  files = ['vmlinuz', 'initrd.img'],
  recorded = true,
  domains = {},
}: Story): World {
  const made = Object.entries(domains).map(([name, domain]) => domainOf(name, domain));
  return {
    installation: recorded ? installation : null,
    files: new Set(files),
    domains: new Map(made.map((domain) => [domain.uuid, domain])),
  };
}

function domainOf(name: string, story: StoryDomain): MemoryDomain {
  const owner = { installation, partition, secondary: name as SecondaryName };
  const base = fieldsOf(secondary(name, { ...story.document, stopGraceMs: 30_000 }));
  const defined = { ...base, ...story.defined };
  const power = story.power ?? { status: 'running' };
  return {
    uuid: secondaryUuid(owner),
    domainName: domainName(partition, owner.secondary),
    owner:
      story.owner === 'foreign'
        ? null
        : story.owner === 'other-partition'
          ? { ...owner, partition: 'team-b' as typeof partition }
          : owner,
    power,
    persistent: story.persistent ?? true,
    defined,
    live: power.status === 'stopped' ? null : { ...defined, ...story.live },
    lastApplied: base,
    stopAsked: false,
    revision: 1,
  };
}
