import { bundled } from '../built.ts';
import type { Lab, Scenario } from '../scenario.ts';
import { primaries } from '../primaries.ts';
import { caseSecondsMax, ports } from '../streams.ts';
import { streamCases } from '../../contract/stream-cases.ts';

const { cid } = primaries[0]!;
/** Beside unnest, where it finds what unnest stands on. */
const program = '/usr/local/lib/node_modules/unnest/dist/bin/stream-contract.mjs';
/** With all that starts before the first. */
const seconds = (streamCases.length + 2) * caseSecondsMax;

/** Every case of the contract, by its own words. */
async function holds(lab: Lab, claim: string, way: string): Promise<void> {
  const ran = await lab.claim(
    claim,
    () => lab.host.run(`node ${program} ${way}`, '', seconds),
    ({ code }) => code === 0,
  );
  lab.timeline.prints(ran.stdout);
}

export const streams: Scenario = {
  name: 'streams',
  about: 'AF_VSOCK carries what any other way between a VM and its host does',
  set: 'quick',
  from: 'installed',
  breaks: 'and so is one by way of a guest',
  run: async (lab) => {
    const { host } = lab;
    await lab.does('the contract of streams comes to the host', async () => {
      await host.write(program, bundled('test/lab/inside/stream-contract.ts'));
      await host.sh('modprobe vsock_loopback');
    });
    await holds(lab, "a stream over the host's own loopback is one", 'loopback');
    let relay = `client.pl relay ${ports.guest} 2 ${ports.host}`;
    await lab.sabotage('the guest loses a byte of what it passes on', async () => {
      relay += ' 1';
    });
    await lab.does('a guest connects whoever comes to it on to the host', () =>
      host.sh(
        `lab-vsock ask ${cid} POST '/run?line=${encodeURIComponent(`${relay} >/dev/null 2>&1 &`)}'`,
      ),
    );
    await holds(lab, 'and so is one by way of a guest', String(cid));
  },
};
