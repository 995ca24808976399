/** What every host must do about the NIC of ours that a Primary has: the same lines for all. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Host } from '../../src/host/ports.ts';
import type { DomainRef } from '../../src/model/domain.ts';
import { plugOf, type PrimaryPlug } from '../../src/model/plug.ts';
import type { ObservedPrimary } from '../../src/model/primary.ts';
import { installation, partition } from '../support/passes.ts';
import { until } from '../support/until.ts';

export interface PlugHarness {
  readonly host: Pick<Host, 'primaries'>;
  readonly ref: DomainRef;
  /** Time passes for its guest. */
  readonly pass: () => Promise<void>;
  readonly dispose: () => Promise<void>;
}

/** Of another installation's, on the same Primary. */
export const strangersPlug: PrimaryPlug = {
  alias: 'ua-un-ffffffffffff',
  mac: '52:00:00:00:ff:01',
  tap: 'untffffffffffff',
  networkName: 'unnest.strangers',
};

const ourPlug = plugOf({ installation, partition });

const never = new AbortController().signal;

/** @param open a host with a Primary that has one NIC in the network `theirs`, and `strangersPlug` */
export function describePlugContract(
  name: string,
  open: (isRunning: boolean) => Promise<PlugHarness>,
): void {
  describe.each([
    ['that runs', true],
    ['that does not run', false],
  ])(`${name}: a Primary %s`, (_what, isRunning) => {
    let harness: PlugHarness;
    beforeEach(async () => {
      harness = await open(isRunning);
    });
    afterEach(() => harness.dispose());

    const seen = async (): Promise<ObservedPrimary> => {
      const primary = await harness.host.primaries.find(harness.ref.domainName, never);
      if (primary.status !== 'present') throw new Error(JSON.stringify(primary));
      return primary.value;
    };
    const plug = () => harness.host.primaries.plug(harness.ref, ourPlug, never);
    const unplug = (alias = ourPlug.alias) =>
      harness.host.primaries.unplug(harness.ref, alias, never);
    const bySide = (plugs: readonly PrimaryPlug[]) => ({
      nics: [{ kind: 'network', networkName: 'theirs' }],
      plugs,
      livePlugs: isRunning ? plugs : null,
    });

    test('is plugged in, once, and unplugged again, beside the NICs of others', async () => {
      expect(await seen()).toMatchObject(bySide([strangersPlug]));
      await plug();
      expect(await seen()).toMatchObject(bySide([strangersPlug, ourPlug]));
      await plug();
      expect(await seen()).toMatchObject(bySide([strangersPlug, ourPlug]));
      await unplug();
      // The definition at once, and what runs when its guest has let go.
      expect((await seen()).plugs).toEqual([strangersPlug]);
      await until('the guest lets go', async () => {
        await harness.pass();
        const { livePlugs } = await seen();
        return livePlugs?.every(({ alias }) => alias !== ourPlug.alias) ?? true;
      });
      await unplug();
      expect(await seen()).toMatchObject(bySide([strangersPlug]));
    });

    test('has nothing to be unplugged that is not there', async () => {
      await unplug('ua-un-000000000000');
      expect(await seen()).toMatchObject(bySide([strangersPlug]));
    });
  });
}
