/**
 * The code as it ships, out of `dist`, since that is what is measured. Its types come from `src`,
 * so that this folder can be checked where nothing has been built.
 */
import type * as OptionsModule from '../../src/cli/options.ts';
import type * as DiffModule from '../../src/diff/diff.ts';
import type * as DocumentsModule from '../../src/documents/desired-state.ts';
import type * as ExecuteModule from '../../src/execute/execute.ts';
import type * as OpenModule from '../../src/host/libvirt/open.ts';
import type * as WriteModule from '../../src/host/libvirt/write-domain-xml.ts';
import type * as LibvirtModule from '../../src/libvirt/index.ts';
import type * as ObserveModule from '../../src/observe/observe.ts';
import type * as PlanModule from '../../src/plan/plan.ts';

/** A module of `dist` cannot be typed by its path: it may not be there. */
async function built(path: string): Promise<unknown> {
  return import(new URL(`../../dist/${path}`, import.meta.url).href);
}

export const libvirt = (await built('libvirt/index.js')) as typeof LibvirtModule;
export const { openLibvirtHost } = (await built('host/libvirt/open.js')) as typeof OpenModule;
export const { writeDomainXml } = (await built(
  'host/libvirt/write-domain-xml.js',
)) as typeof WriteModule;
export const { parseDocuments } = (await built(
  'documents/desired-state.js',
)) as typeof DocumentsModule;
export const { observe } = (await built('observe/observe.js')) as typeof ObserveModule;
export const { diff } = (await built('diff/diff.js')) as typeof DiffModule;
export const { planOptionsOf } = (await built('cli/options.js')) as typeof OptionsModule;
export const { makePlan } = (await built('plan/plan.js')) as typeof PlanModule;
export const { execute } = (await built('execute/execute.js')) as typeof ExecuteModule;
