/** The one way through on a real libvirtd and real guests, with virsh as the witness. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { writeFileSync } from 'node:fs';
import {
  guestDocument,
  idleDocument,
  virsh,
  type Workplace,
  workplace,
} from '../../support/cli.ts';

let at: Workplace;
let count = 0;

beforeEach(() => {
  at = workplace(`pass-${(count += 1)}`);
});
afterEach(() => at.dispose());

const domain = (name: string) => `unnest.pass-${count}.${name}`;
const plan = async () => (await at.unnest('plan', '-f', at.documents)).stdout;
const apply = (...args: readonly string[]) => at.unnest('apply', '-f', at.documents, ...args);
/** What libvirt holds of everything there is, to see that nothing was written. */
const everything = async () => {
  const names = (await virsh('list', '--all', '--name')).split('\n').sort();
  return Promise.all(names.map((name) => virsh('dumpxml', '--inactive', name)));
};

describe('a Secondary', () => {
  test('is made, really runs, and is then seen as converged', async () => {
    at.write(guestDocument('web') + guestDocument('idle', ['runPolicy: Halted']));
    expect(await plan()).toContain('Plan: 2 to create, 0 unchanged.');
    expect(await virsh('list', '--all', '--name')).toBe('');
    const applied = await apply();
    expect(applied).toMatchObject({ code: 0, stderr: '' });
    expect(await virsh('domstate', domain('web'))).toBe('running');
    expect(await virsh('domstate', domain('idle'))).toBe('shut off');
    const console = await at.unnest('console', 'web', '--lines', '3', '--timeout', '60');
    expect(console.stdout).toMatch(/unnest-guest web .*1 vCPU, 128 MiB/);
    expect(await plan()).toBe('No changes: 2 unchanged.\n');
  });

  test('takes memory live, by its balloon, and gives it back', async () => {
    at.write(guestDocument('web'));
    await apply();
    await at.unnest('console', 'web', '--lines', '2', '--timeout', '60');
    const before = await virsh('domid', domain('web'));
    for (const [from, to] of [
      ['128', '96'],
      ['96', '112'],
    ]) {
      at.write(guestDocument('web').replace('memory: 128MiB', `memory: ${to}MiB`));
      expect(await plan()).toContain(`spec.memory: ${from}MiB -> ${to}MiB (live)`);
      expect(await apply()).toMatchObject({ code: 0 });
      const [line] = (await virsh('dommemstat', domain('web'))).split('\n');
      expect(line).toBe(`actual ${Number(to) * 1024}`);
    }
    expect(await virsh('domid', domain('web'))).toBe(before);
    expect(await plan()).toBe('No changes: 1 unchanged.\n');
  });

  test('is never restarted unasked: the change waits, is shown, and goes away when reverted', async () => {
    at.write(idleDocument('web'));
    await apply();
    const before = await virsh('domid', domain('web'));
    at.write(idleDocument('web').replace('vcpus: 1', 'vcpus: 2'));
    expect(await apply()).toMatchObject({ code: 0 });
    expect(await virsh('domid', domain('web'))).toBe(before);
    expect(await plan()).toContain('waits for a restart: spec.vcpus');
    expect((await at.unnest('get')).stdout).toContain('restart required: spec.vcpus');
    at.write(idleDocument('web'));
    await apply();
    expect(await plan()).toBe('No changes: 1 unchanged.\n');
    expect((await at.unnest('get')).stdout).not.toContain('restart required');
  });

  test('is restarted where its update policy says so, and where the caller agrees', async () => {
    at.write(idleDocument('web', ['updatePolicy: Restart']));
    await apply();
    at.write(idleDocument('web', ['updatePolicy: Restart']).replace('vcpus: 1', 'vcpus: 2'));
    expect(await apply()).toMatchObject({ code: 64 });
    expect(await virsh('vcpucount', '--current', '--live', domain('web'))).toBe('1');
    expect(await apply('--yes')).toMatchObject({ code: 0 });
    expect(await virsh('vcpucount', '--current', '--live', domain('web'))).toBe('2');
    expect(await plan()).toBe('No changes: 1 unchanged.\n');
  });

  test('that is killed, suspended or undefined behind our back is repaired', async () => {
    at.write(idleDocument('web') + idleDocument('db') + idleDocument('api'));
    await apply();
    await virsh('destroy', domain('web'));
    await virsh('suspend', domain('db'));
    await virsh('undefine', domain('api'));
    expect(await apply()).toMatchObject({ code: 0 });
    for (const name of ['web', 'db', 'api']) {
      expect(await virsh('domstate', domain(name))).toBe('running');
    }
    expect(await virsh('dominfo', domain('api'))).toMatch(/Persistent: +yes/);
    expect(await plan()).toBe('No changes: 3 unchanged.\n');
  });

  test('whose document goes is removed, the files stay', async () => {
    at.write(idleDocument('web') + idleDocument('old'));
    await apply();
    at.write(idleDocument('web'));
    expect(await plan()).toContain('- old: delete');
    expect(await apply()).toMatchObject({ code: 64 });
    expect(await apply('--yes')).toMatchObject({ code: 0 });
    expect(await virsh('list', '--all', '--name')).toBe(domain('web'));
    at.write('# nothing\n');
    expect(await plan()).toContain('DeletesEverything');
    expect(await apply('--yes')).toMatchObject({ code: 3 });
    expect(await virsh('list', '--all', '--name')).toBe(domain('web'));
    expect(await apply('--yes', '--delete-everything')).toMatchObject({ code: 0 });
    expect(await virsh('list', '--all', '--name')).toBe('');
  });
});

describe('the definition that is there', () => {
  test('is overlaid: what unnest does not manage survives, and the UUID and machine stay', async () => {
    at.write(idleDocument('web', ['runPolicy: Halted']));
    await apply();
    await virsh('desc', domain('web'), '--config', 'kept by the operator');
    const nic = `<interface type='user'><mac address='52:54:00:12:34:56'/><model type='virtio'/></interface>`;
    writeFileSync(`${at.stateDir}/nic.xml`, nic);
    await virsh('attach-device', domain('web'), `${at.stateDir}/nic.xml`, '--config');
    const before = await virsh('dumpxml', '--inactive', domain('web'));
    expect(await plan()).toBe('No changes: 1 unchanged.\n');
    at.write(idleDocument('web', ['runPolicy: Halted']).replace('vcpus: 1', 'vcpus: 3'));
    await apply();
    const after = await virsh('dumpxml', '--inactive', domain('web'));
    // Our own mark says what was last applied; the port that the NIC took is there once more, to spare.
    const ports =
      /^ +<controller type='pci' index='\d+' model='pcie-root-port'>[^]*?<\/controller>\n/gm;
    const unmarked = (xml: string) => xml.replace(/ applied="[^"]*"/, '').replace(ports, '');
    expect(after.match(ports)?.length).toBe((before.match(ports)?.length ?? 0) + 1);
    expect(unmarked(after)).toBe(
      unmarked(before).replace("<vcpu placement='static'>1<", "<vcpu placement='static'>3<"),
    );
  });

  test('survives a redefinition that libvirt refuses, and the guest runs on', async () => {
    const two = (document: string) => document.replace('vcpus: 1', 'vcpus: 2');
    at.write(two(idleDocument('web', ['updatePolicy: Restart'])));
    await apply();
    // An operator's NUMA cell holds both CPUs, so that one of them cannot go.
    const xml = await virsh('dumpxml', '--inactive', domain('web'));
    const numa = "<numa><cell id='0' cpus='0-1' memory='131072' unit='KiB'/></numa></cpu>";
    writeFileSync(`${at.stateDir}/numa.xml`, xml.replace('</cpu>', numa));
    await virsh('define', `${at.stateDir}/numa.xml`);
    const before = await virsh('dumpxml', '--inactive', domain('web'));
    const id = await virsh('domid', domain('web'));
    at.write(idleDocument('web', ['updatePolicy: Restart']));
    const applied = await apply('--yes');
    expect(applied.code).toBe(3);
    expect(applied.stdout).toMatch(/domain\.define\/web did not succeed/);
    expect(await virsh('dumpxml', '--inactive', domain('web'))).toBe(before);
    expect(await virsh('domid', domain('web'))).toBe(id);
  });
});

describe('nothing is written', () => {
  test('by plan, get, doctor and validate, whatever they see', async () => {
    at.write(
      idleDocument('web', ['runPolicy: Halted']) + idleDocument('old', ['runPolicy: Halted']),
    );
    await apply();
    const before = await everything();
    at.write(idleDocument('web').replace('vcpus: 1', 'vcpus: 2') + idleDocument('new'));
    for (const command of ['plan', 'validate']) await at.unnest(command, '-f', at.documents);
    for (const command of ['get', 'doctor']) await at.unnest(command);
    expect(await everything()).toEqual(before);
  });

  test('to what is foreign, even under our name', async () => {
    const kit = process.env['UNNEST_GUEST_KIT'] ?? '';
    const foreign = (name: string) =>
      `<domain type='${process.env['UNNEST_DOMAIN_TYPE']}'><name>${name}</name><memory unit='MiB'>64</memory>` +
      `<os><type>hvm</type><kernel>${kit}/vmlinuz</kernel></os></domain>`;
    for (const name of [domain('web'), domain('stranger'), 'other']) {
      writeFileSync(`${at.stateDir}/foreign.xml`, foreign(name));
      await virsh('define', `${at.stateDir}/foreign.xml`);
    }
    const before = await everything();
    at.write(idleDocument('web'));
    expect(await plan()).toContain('NameTaken');
    expect(await apply('--yes')).toMatchObject({ code: 3 });
    expect((await at.unnest('destroy', '--all', '--yes')).code).toBe(0);
    expect(await everything()).toEqual(before);
    for (const name of [domain('web'), domain('stranger'), 'other']) await virsh('undefine', name);
  });
});
