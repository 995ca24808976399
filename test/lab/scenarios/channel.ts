import { agentPrimary, giveChannel, inGuest, inPrimary, writeDocument } from '../agent-primary.ts';
import type { Scenario } from '../scenario.ts';
import { domainOf, isAbsent, runs } from '../secondaries.ts';

const web = { partition: 'team-e', name: 'web' };
const db = { partition: 'team-e', name: 'db' };
/** Where unnestd listens. */
const port = 1021;

const { cid } = agentPrimary;
/** Whoever is not listened to has a connection, and gets nothing. */
const isNothing = /^the answer is no HTTP/;
const status = 'unnest status --partition team-e';

export const channel: Scenario = {
  name: 'channel',
  about: 'a Primary asks for VMs over vsock, sees them, and speaks for nobody else',
  set: 'quick',
  from: 'agent',
  breaks: 'the host listens to its agent',
  run: async (lab) => {
    const { host } = lab;
    await lab.sabotage('its agent is gone', () =>
      host.sh(inGuest('rm /full/bin/unnest; killall node')),
    );
    await giveChannel(lab);

    await lab.does('in the Primary, somebody writes web.yaml', () => writeDocument(host, web));
    await runs(lab, 'web runs beside it', web);
    await lab.prints(
      'its QEMU is a sibling: a child of the host, not of the Primary',
      `cat /run/libvirt/qemu/${domainOf(web)}.pid`,
      /^[0-9]+/,
    );
    await lab.prints(
      '`unnest get` in the Primary shows it',
      inPrimary('unnest get'),
      /^web +Running +Synced +Healthy/m,
    );
    await lab.prints(
      'the status file there too',
      inPrimary('cat /run/unnest/status.json'),
      /"name": "web"/,
    );
    await lab.hears(
      'and its console is read there',
      inPrimary('timeout 75 unnest console web --lines 1'),
      /unnest-guest web/,
    );
    await lab.does('somebody there plans with db beside it', async () => {
      await host.sh(
        inPrimary('mkdir -p /tmp/more; cat /etc/unnest/desired/web.yaml >/tmp/more/web.yaml'),
      );
      await writeDocument(host, db, '/full/tmp/more');
    });
    await lab.prints('and sees what would be done', inPrimary('unnest plan -f /tmp/more'), /\+ db/);
    await isAbsent(lab, 'and nothing is done', db);

    await lab.does('db comes into the folder', () => writeDocument(host, db));
    await runs(lab, 'db runs', db);
    await lab.does('unnestd starts anew', () => host.sh('systemctl restart unnestd'));
    await lab.prints('and listens to the agent again', status, /AgentConnected +True/);
    await lab.does('db goes from the folder', () =>
      host.sh(inPrimary('rm /etc/unnest/desired/db.yaml')),
    );
    await isAbsent(lab, 'and is gone', db);
    await lab.prints('with its story told in the Primary', inPrimary('unnest events'), /db/);
    await lab.prints(
      'another partition is not known there',
      inPrimary('unnest get -p team-a'),
      /NoPartition|knows no team-a/,
    );

    const asks = `cid=2&port=${port}&path=/v1/version`;
    const asking = (of: number, from = '') => `lab-vsock ask ${of} POST '/request?${asks}${from}'`;
    // Below the ports that its agent takes one of.
    const asRoot = '&from=300';
    await lab.prints('who is not root there is not listened to', asking(cid), isNothing);
    await lab.prints('its root is', asking(cid, asRoot), /team-e/);
    await lab.prints(
      'the root of a foreign Primary is not, and unnestd tells of that',
      `${asking(101, asRoot)}; unnest events`,
      new RegExp(`${isNothing.source}[^]*CID 101 is not listened to: UnknownCid`),
    );

    await lab.does('the Primary is powered off', () => host.sh('virsh destroy team-e'));
    await lab.prints('its agent is missed', status, /AgentConnected +False/);
    await runs(lab, 'and web runs on: what was accepted stays in force', web);
  },
};
