/** A simulated Primary is plugged in and unplugged as a real one; test/integration/host has the other. */
import { simulatedPrimary, testHost, worldOf } from '../../../support/simulation.ts';
import { describePlugContract, strangersPlug } from '../../../contract/plug-contract.ts';

describePlugContract('a simulated host', async (isRunning) => {
  const primary = simulatedPrimary({
    nics: [{ kind: 'network', networkName: 'theirs' }],
    plugs: [strangersPlug],
    releasesAfterMs: 1000,
    ...(isRunning ? { livePlugs: [strangersPlug] } : { live: null, livePlugs: null }),
  });
  const host = testHost(worldOf({ recorded: true, primaries: { 'team-a': primary } }));
  const never = new AbortController().signal;
  return {
    host,
    ref: { uuid: primary.uuid, domainName: 'team-a' },
    pass: () => host.clock.sleep(500, never),
    dispose: async () => undefined,
  };
});
