import { primaries, type Primary } from '../primaries.ts';
import type { Host } from '../host.ts';
import type { Scenario } from '../scenario.ts';

const heard = '/var/log/lab/heard';
const port = 9000;

/** Asks a guest, over AF_VSOCK, to say something to the host. */
const tell = ({ cid }: Primary, path: string) =>
  `lab-vsock ask ${cid} POST '/request?cid=2&port=${port}&path=${path}'`;

/** Who has which address, as libvirt says of what runs. */
function addressOf(host: Host, { name }: Primary): Promise<string> {
  return host.sh(`virsh dumpxml ${name} | grep -o "<cid[^>]*address='[0-9]*'"`);
}

export const who: Scenario = {
  name: 'who',
  about: 'two Primaries speak AF_VSOCK, and the host sees who is who',
  set: 'quick',
  from: 'tenants',
  breaks: 'who speaks from CID 101 calls itself team-a',
  run: async (lab) => {
    const { host } = lab;
    await lab.sabotage("the two have each other's address", () => host.sh(swap));
    await lab.does('somebody listens on the host', () =>
      host.sh(`setsid lab-vsock listen ${port} >${heard} 2>&1 </dev/null &`),
    );
    for (const primary of primaries) {
      const { name, cid } = primary;
      const facts = `lab-vsock ask ${cid} GET /facts`;
      await lab.hears(`who answers at CID ${cid} answers`, facts, /"name":/);
      const says = tell(primary, `/i-am-${name}`);
      await lab.prints(`CID ${cid} says who it is, as it is asked to`, says, /"status":200/);
    }
    for (const { name, cid } of primaries) {
      const said = new RegExp(`^cid=${cid} GET /i-am-${name}`, 'm');
      await lab.prints(`the host hears CID ${cid}`, `cat ${heard}`, said);
      const facts = new RegExp(`"name": ?"${name}"`);
      await lab.prints(
        `who speaks from CID ${cid} calls itself ${name}`,
        `lab-vsock ask ${cid} GET /facts`,
        facts,
      );
    }
    for (const primary of primaries) {
      const { name, cid } = primary;
      const isIt = (seen: string) => seen.includes(`'${cid}'`);
      await lab.claim(
        `libvirt says that CID ${cid} is ${name}`,
        () => addressOf(host, primary),
        isIt,
      );
    }
    const none = (answer: { readonly code: number }) => answer.code !== 0;
    await lab.claim(
      "nobody answers at an address that is nobody's",
      () => host.run('lab-vsock ask 99 GET /ping'),
      none,
    );
  },
};

const swap = primaries
  .map(({ name }) => `virsh destroy ${name}`)
  .concat(
    primaries.map(({ name, cid }) => {
      const other = primaries.find((each) => each.cid !== cid)!.cid;
      return `virsh dumpxml --inactive ${name} | sed "s/address='${cid}'/address='${other}'/" | virsh define /dev/stdin`;
    }),
    primaries.map(({ name }) => `virsh start ${name}`),
  )
  .join(' && ');
