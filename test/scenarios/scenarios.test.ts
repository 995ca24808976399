/**
 * Each folder here is one story: `desired.yaml` and `observed.json` in, `plan.txt` out, exactly as
 * a person would read it. `vitest -u` writes the plans anew; read the difference before you commit.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { plain } from '../../src/cli/render/paint.ts';
import { planJson } from '../../src/cli/render/plan-json.ts';
import { planDocumentSchema } from '../../src/cli/render/plan-schema.ts';
import { renderPlan } from '../../src/cli/render/plan.ts';
import { parseDocuments } from '../../src/documents/desired-state.ts';
import type { AgentState, DomainFields, Power } from '../../src/model/domain.ts';
import { fieldsOf } from '../../src/model/domain.ts';
import type { Secondary } from '../../src/model/secondary.ts';
import type { SliceFields } from '../../src/model/slice.ts';
import type { SecondaryName } from '../../src/model/names.ts';
import { type ObservedSeed, seedNamed } from '../../src/model/seed.ts';
import type { ObservedImage, ObservedVolume } from '../../src/model/volume.ts';
import type { SimulatedDomain } from '../../src/host/simulated/world.ts';
import { partition, planPass, secondary } from '../support/passes.ts';
import { observedSeed } from '../support/seeds.ts';
import {
  domainOf,
  imageOf,
  networkOf,
  type NetworkParts,
  ownerOf,
  testHost,
  unreadable,
  volumeOf,
  worldOf,
} from '../support/simulation.ts';

/** What a story says of the host; what it leaves out is as `quickstart` would have made it. */
interface Story {
  readonly files?: readonly string[];
  readonly recorded?: boolean;
  readonly unreadable?: readonly string[];
  readonly deleteEverything?: boolean;
  readonly maxDeletions?: number;
  readonly domains?: Readonly<Record<string, StoryDomain>>;
  readonly volumes?: Readonly<Record<string, Partial<ObservedVolume>>>;
  readonly images?: Readonly<Record<string, Partial<ObservedImage>>>;
  /** By the name of the Secondary: the digits of a digest, to be repeated, of seeds that are there. */
  readonly seeds?: Readonly<Record<string, string>>;
  readonly network?: NetworkParts;
  readonly slice?: SliceFields;
}

interface StoryDomain {
  /** What its document said when it was last applied, beyond `quickstart`. */
  readonly document?: Partial<Secondary>;
  readonly power?: Power;
  readonly persistent?: boolean;
  readonly owner?: 'foreign' | 'other-partition';
  readonly defined?: Partial<DomainFields>;
  readonly live?: Partial<DomainFields>;
  readonly agent?: AgentState;
  readonly foundReady?: string;
  readonly portsFree?: number;
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
    const { files = ['vmlinuz', 'initrd.img'], recorded = true, domains = {} } = story;
    const { volumes = {}, images = {}, seeds = {}, network, slice = null } = story;
    const made = Object.entries(domains).map(([each, domain]) => domainFrom(each, domain));
    const stored = {
      volumes: Object.entries(volumes).map(([each, parts]) => volumeOf(each, parts)),
      images: Object.entries(images).map(([each, parts]) => imageOf(each, parts)),
      seeds: Object.entries(seeds).flatMap(([each, digits]) => seedsThere(each, digits)),
      network: network === undefined ? null : networkOf(network),
      slice,
    };
    const host = testHost(worldOf({ files, recorded, domains: made, ...stored }), {
      rules: [unreadable(...(story.unreadable ?? []))],
    });
    const plan = await planPass(host, parsed.desired, story.deleteEverything, story.maxDeletions);
    await expect(renderPlan(plan, plain)).toMatchFileSnapshot(join(folder, name, 'plan.txt'));
    expect(() => planDocumentSchema.parse(planJson(plan))).not.toThrow();
    expect(host.writes).toEqual([]);
    expect(renderPlan(plan, plain) + JSON.stringify(plan)).not.toContain('the-secret');
  });
});

function seedsThere(name: string, digits: string): ObservedSeed[] {
  const seed = { form: 'cloud-init', sizeBytes: 133_120 } as const;
  return [...new Set(digits)].flatMap((digit) => {
    const each = seedNamed(name as SecondaryName, `sha256:${digit.repeat(64)}`);
    return each === null ? [] : [observedSeed({ name: each, ...seed })];
  });
}

function domainFrom(name: string, story: StoryDomain): SimulatedDomain {
  const base = fieldsOf(secondary(name, { ...story.document, stopGraceMs: 30_000 }));
  const defined = { ...base, ...story.defined };
  const owners = {
    ours: ownerOf(name),
    foreign: null,
    'other-partition': { ...ownerOf(name), partition: 'team-b' as typeof partition },
  };
  return domainOf(name, {
    owner: owners[story.owner ?? 'ours'],
    power: story.power ?? { status: 'running' },
    persistent: story.persistent ?? true,
    defined,
    live: { ...defined, ...story.live },
    lastApplied: base,
    ...(story.agent === undefined ? {} : { agent: story.agent }),
    foundReady: story.foundReady ?? null,
    portsFree: story.portsFree ?? 0,
  });
}
