/**
 * SIGKILL at every write of three plans, before it is sent and after its answer has come: another
 * apply then brings the host to where an undisturbed one would have, with nothing left over and
 * nothing made twice (invariant 5). The writes are counted by a run that nobody kills.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { idleDocument, run, virsh, type Workplace, workplace } from '../../support/cli.ts';

const root = join(import.meta.dirname, '../../..');
const program = join(root, 'test/support/killed-apply.ts');
const tsx = pathToFileURL(join(root, 'node_modules/tsx/dist/esm/index.mjs')).href;

let at: Workplace;
let count = 0;

beforeEach(() => {
  at = workplace(`killed-${(count += 1)}`);
});
afterEach(() => at.dispose());

const apply = ['--yes', '--delete-everything'];
const killedApply = (killAt: string) =>
  run(process.execPath, ['--import', tsx, program, 'apply', '-f', at.documents, ...apply], {
    ...at.environment,
    KILL_AT: killAt,
  });

const domains = async () => (await virsh('list', '--all', '--name')).split('\n').filter(Boolean);

/** What must be the same however it came about: all of libvirt, without what differs by nature. */
async function world(): Promise<string> {
  const questions = (await domains())
    .sort()
    .flatMap((name) => [`domstate ${name}`, `vcpucount ${name}`, `dumpxml --inactive ${name}`]);
  const answers = questions.length === 0 ? '' : await virsh(questions.join('; '));
  return answers.replace(/installation="[^"]*"|<uuid>[^<]*/g, '');
}

async function clear(): Promise<void> {
  const deaths = (await domains()).flatMap((name) => [`destroy ${name}`, `undefine ${name}`]);
  // One that does not run cannot be destroyed, which is as good.
  if (deaths.length > 0) await run('virsh', ['--quiet', deaths.join('; ')]);
  expect(await domains()).toEqual([]);
  await rm(join(at.stateDir, 'installation.id'), { force: true });
}

const policy = ['runPolicy: RerunOnFailure', 'updatePolicy: Restart'];
const before = idleDocument('web', policy) + idleDocument('old');
const after = idleDocument('web', policy).replace('vcpus: 1', 'vcpus: 2') + idleDocument('new');

const plans = [
  ['a first apply', null, before],
  ['an edit with a restart, a removal and an addition', before, after],
  ['the removal of everything', before, '# nothing\n'],
] as const;

describe.each(plans)('%s', (_what, from, to) => {
  /** Back to the beginning, from wherever it is. */
  const reset = async () => {
    await clear();
    if (from === null) return;
    at.write(from);
    expect(await at.unnest('apply', '-f', at.documents)).toMatchObject({ code: 0 });
  };

  test('converges after a kill at any write', async () => {
    await reset();
    at.write(to);
    const undisturbed = await killedApply('');
    expect(undisturbed).toMatchObject({ code: 0 });
    const writes = Number(undisturbed.stdout);
    expect(writes).toBeGreaterThan(1);
    const goal = await world();
    for (let write = 1; write <= writes; write++) {
      for (const when of ['before', 'after']) {
        await reset();
        at.write(to);
        expect(
          (await killedApply(`${write} ${when}`)).code,
          `killed ${when} write ${write}`,
        ).toBeNull();
        expect(await at.unnest('apply', '-f', at.documents, ...apply)).toMatchObject({ code: 0 });
        expect(await world(), `${when} write ${write}`).toEqual(goal);
      }
    }
  }, 300_000);
});
