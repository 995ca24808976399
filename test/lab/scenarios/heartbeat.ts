import type { Host } from '../host.ts';
import type { Scenario } from '../scenario.ts';
import { ask, domainOf } from '../secondaries.ts';

const partition = 'team-a';
const db = { partition, name: 'db', more: '  readiness: Heartbeat\n' };
const app = { partition, name: 'app', more: '  startAfter: [db]\n' };
/** A Primary's address. */
const stranger = 101;
/** Where heartbeats are heard, and where Primaries ask. */
const [port, control] = [9000, 1021];

/** What a guest sends, in Perl, and what it gets back. */
const beat = (byte: string) =>
  `/usr/bin/perl -e '$SIG{PIPE}="IGNORE"; alarm 20; socket S,40,1,0; connect S,pack "SSLLx4",40,0,${port},2 or die "not heard: $!"; syswrite S,"${byte}"; printf "back %s", sysread(S,$b,1) ? sprintf("%x",ord $b) : "nothing"'`;

/** A line of shell in a guest, over the vsock device that it has. */
function inGuest(cid: number, line: string): string {
  const encoded = encodeURIComponent(line).replaceAll("'", '%27');
  return `lab-vsock ask ${cid} POST '/run?line=${encoded}'`;
}

/** As libvirt has given it. */
async function cidOf(host: Host, of: typeof db): Promise<number> {
  const xml = await host.sh(`virsh dumpxml ${domainOf(of)}`);
  return Number(/<cid auto='no' address='([0-9]+)'/.exec(xml)?.[1] ?? 0);
}

export const heartbeat: Scenario = {
  name: 'heartbeat',
  about: 'a guest says over vsock that it is ready, and nobody says it for another',
  set: 'quick',
  from: 'installed',
  breaks: 'db says that it is ready, and gets its byte back',
  run: async (lab) => {
    const { host } = lab;
    const status = `unnest describe db --partition ${partition}`;
    const runs = (of: { name: string }, claim: string) =>
      lab.prints(claim, 'virsh list', new RegExp(`${domainOf({ ...db, ...of })} +running`), 240);
    const isDown = (seen: string) => !seen.includes(domainOf(app));
    await lab.does('the tenant asks for db, which is ready once it says so, and app after it', () =>
      ask(host, db).then(() => ask(host, app)),
    );
    await runs(db, 'db runs');
    const cid = await lab.claim(
      'libvirt has given it an address in the upper half',
      () => cidOf(host, db),
      (seen) => seen >= 2 ** 31 && seen < 2 ** 32 - 1,
    );
    await lab.prints('unnestd waits for it', status, /Ready +False +AwaitsHeartbeat/);
    await lab.claim('app is not started', () => host.sh('virsh list'), isDown);
    await lab.hears('it answers there', `lab-vsock ask ${cid} GET /facts`, /"name":/);

    await lab.prints(
      'a Primary that says it in its place is not heard',
      inGuest(stranger, beat('\\xb7')),
      /back nothing/,
    );
    // Whoever starts it has waited long enough by now, on a slow machine, and says something else of it.
    await lab.prints('db still is not ready', status, /Ready +False/);

    await lab.sabotage('nobody hears heartbeats', () => host.sh('systemctl stop unnestd'));
    await lab.prints(
      'db says that it is ready, and gets its byte back',
      inGuest(cid, beat('\\xb7')),
      /back b7/,
    );
    await lab.prints('so it is', status, /Ready +True/);
    await runs(app, 'and app runs');
    await lab.prints(
      'unnestd has told of the Primary',
      'unnest events',
      new RegExp(`CID ${stranger} is not heard on the port of heartbeats: UnknownCid`),
    );
    const asks = `cid=2&port=${control}&path=/v1/version&from=300`;
    await lab.prints(
      'its root is not listened to where Primaries are',
      `lab-vsock ask ${cid} POST '/request?${asks}'`,
      /^(?:cannot connect .*reset|the answer is no HTTP)/,
    );
    await lab.does('unnestd starts anew', () => host.sh('systemctl restart unnestd'));
    await lab.prints('db still is ready', status, /Ready +True/);
    await lab.does('db is powered off, and is started again', () =>
      host.sh(`virsh destroy ${domainOf(db)}`),
    );
    await lab.prints('what it said was of that run', status, /Ready +False +AwaitsHeartbeat/);
    const now = await cidOf(host, db);
    await lab.prints(
      'something else than a heartbeat is none',
      inGuest(now, beat('A')),
      /back nothing/,
    );
    await lab.prints('and makes it no more ready', status, /Ready +False/);
  },
};
