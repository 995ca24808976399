/**
 * What every host must do behind the ports. The simulated host and a real libvirt are held against
 * the same lines, so that what is proved with the one is true of the other.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { HostError } from '../../src/host/host-error.ts';
import type { Host, HostView } from '../../src/host/ports.ts';
import {
  type DomainDefinition,
  type DomainRef,
  fieldsOf,
  type ObservedDomain,
  type Platform,
} from '../../src/model/domain.ts';
import {
  domainName,
  type DomainUuid,
  type InstallationId,
  secondaryUuid,
} from '../../src/model/identity.ts';
import type { FileName, PartitionName } from '../../src/model/names.ts';
import type { Secondary } from '../../src/model/secondary.ts';
import { cidOf } from '../../src/model/vsock.ts';
import { installation, secondary } from '../support/passes.ts';

/** A host with nothing on it, whose store has `vmlinuz` and `initrd.img` of the guest kit. */
export interface Subject {
  readonly host: Host;
  readonly view: HostView;
  readonly partition: PartitionName;
  /** What a person beside us does: puts a guest to sleep. */
  readonly suspend: (ref: DomainRef) => Promise<void>;
  readonly dispose: () => Promise<void>;
}

const MiB = 2 ** 20;
const never = new AbortController().signal;
const over = AbortSignal.abort();

export function describeHostContract(what: string, makeSubject: () => Promise<Subject>): void {
  describe(`the contract of ${what}`, () => {
    let subject: Subject;
    let platform: Platform;
    let count = 0;
    let name = '';
    const host = () => subject.host;
    const domains = () => subject.host.domains;

    /** The domain of this test. */
    const definition = (overrides: Partial<Secondary> = {}, words = ''): DomainDefinition => {
      const boot = {
        kind: 'kernel',
        kernel: 'vmlinuz',
        initrd: 'initrd.img',
        commandLine: `console=ttyS0 quiet unnest.name=${name} ${words}`.trim(),
      } as Secondary['boot'];
      const wanted = secondary(name, { boot, ...overrides });
      const owner = { installation, partition: subject.partition, secondary: wanted.name };
      return {
        uuid: secondaryUuid(owner),
        domainName: domainName(subject.partition, wanted.name),
        owner,
        fields: fieldsOf(wanted),
        platform,
      };
    };
    const define = async (overrides: Partial<Secondary> = {}, words = '') => {
      const made = definition(overrides, words);
      await domains().define(made, never);
      return made;
    };
    const started = async (overrides: Partial<Secondary> = {}, words = '') => {
      const ref = await define(overrides, words);
      await domains().start(ref, never);
      return ref;
    };
    const look = async (ref: DomainRef): Promise<ObservedDomain | null> => {
      const [seen] = await domains().read([ref], never);
      if (seen === undefined || seen.status === 'unknown')
        throw new Error(seen?.why ?? 'no answer');
      return seen.status === 'present' ? seen.value : null;
    };
    const present = async (ref: DomainRef): Promise<ObservedDomain> => {
      const seen = await look(ref);
      if (seen === null) throw new Error(`${ref.domainName} is absent`);
      return seen;
    };
    const until = async (ref: DomainRef, isSo: (domain: ObservedDomain | null) => boolean) => {
      const watch = await domains().watch(ref);
      while (!isSo(await look(ref))) await watch.next(1000, never);
      watch.close();
    };
    const stops = (domain: ObservedDomain | null) =>
      domain === null || domain.power.status === 'stopped';
    /** Until its user space has spoken, a guest hears no button and moves no balloon. */
    const lives = async (ref: DomainRef) => {
      const enough = new AbortController();
      for await (const chunk of await domains().console(ref, enough.signal)) {
        if (/booted|up [0-9]+ s/.test(Buffer.from(chunk).toString())) break;
      }
      enough.abort();
    };
    /** The reason goes first, so that a wrong one is seen beside the right one. */
    const refusal = async (call: Promise<unknown>) => {
      const error: unknown = await call.then(
        () => null,
        (reason: unknown) => reason,
      );
      return error instanceof HostError ? error.code : error;
    };

    beforeAll(async () => {
      subject = await makeSubject();
      ({ platform } = await subject.host.domains.facts(never));
    });
    afterAll(() => subject.dispose());
    // An emulated guest that is left running takes the next one's time.
    afterEach(() => refusal(domains().powerOff(definition(), never)));
    beforeEach(() => {
      name = `vm-${(count += 1)}`;
    });

    describe('a definition', () => {
      test('is read back as it was asked for, and nothing runs', async () => {
        const made = await define({ vcpus: 2, stopGraceMs: 7000, labels: new Map([['a', 'b']]) });
        expect(await look(made)).toEqual({
          uuid: made.uuid,
          domainName: made.domainName,
          owner: made.owner,
          power: { status: 'stopped', reason: 'unknown' },
          persistent: true,
          defined: made.fields,
          lastApplied: made.fields,
          live: null,
          stopAsked: false,
          saved: false,
          fingerprint: expect.any(String),
          runId: null,
          portsFree: 0,
          agent: 'none',
          foundReady: null,
          foreignCid: null,
          translationCacheBytes: expect.any(Number),
        });
      });

      test.each([
        ['of a disk', { kind: 'disk', file: 'root.img', format: 'qcow2' }],
        ['of a bare kernel', { kind: 'kernel', kernel: 'vmlinuz', initrd: null, commandLine: '' }],
        [
          'of a kernel that is an Image',
          { kind: 'kernelImage', kernel: 'linux', initrd: null, commandLine: '' },
        ],
        [
          'of a kernel and an initial RAM disk that are Images',
          { kind: 'kernelImage', kernel: 'linux', initrd: 'ramdisk', commandLine: 'quiet' },
        ],
      ])('%s is read back too, and replaces the other kind', async (_what, boot) => {
        await define();
        const made = await define({ boot: boot as Secondary['boot'], serialConsole: false });
        expect((await present(made)).defined).toEqual(made.fields);
      });

      test('has a fingerprint of its content: another with another, the same with the same', async () => {
        const made = await define();
        const first = (await present(made)).fingerprint;
        await define({ vcpus: 2 });
        expect((await present(made)).fingerprint).not.toBe(first);
        await define();
        expect((await present(made)).fingerprint).toBe(first);
        // Our own note is no change of the definition.
        await domains().noteStop(made, true, never);
        expect((await present(made)).fingerprint).toBe(first);
      });

      test('under a name that another UUID has is refused, and changes nothing', async () => {
        const made = await define();
        const before = await look(made);
        const other = '00000000-0000-4000-8000-0000000000aa' as DomainUuid;
        const clash = { ...definition({ vcpus: 2 }), uuid: other };
        expect(await refusal(domains().define(clash, never))).toBe('Refused');
        expect(await look(made)).toEqual(before);
        expect(await look(clash)).toBeNull();
      });

      test('keeps the name that is there', async () => {
        const made = await define();
        await domains().define({ ...made, domainName: `${made.domainName}-too` }, never);
        const names = (await domains().list(never)).filter(({ uuid }) => uuid === made.uuid);
        expect(names).toEqual([{ uuid: made.uuid, domainName: made.domainName }]);
      });

      test('that the host cannot carry out is refused, and the old one stays', async () => {
        const made = await define();
        const before = await look(made);
        expect(await refusal(define({ vcpus: 288 }))).toBe('Refused');
        expect(await look(made)).toEqual(before);
      });

      test('keeps the note of a stop, on both ways', async () => {
        const made = await define();
        await domains().noteStop(made, true, never);
        expect(await look(made)).toMatchObject({ stopAsked: true });
        await define({ vcpus: 2 });
        expect(await look(made)).toMatchObject({ stopAsked: true, defined: { vcpus: 2 } });
        await domains().noteStop(made, false, never);
        expect(await look(made)).toMatchObject({ stopAsked: false, defined: { vcpus: 2 } });
      });

      test('goes when it is undefined', async () => {
        const made = await define();
        await domains().undefine(made, never);
        expect(await look(made)).toBeNull();
        expect((await domains().list(never)).map(({ uuid }) => uuid)).not.toContain(made.uuid);
      });
    });

    describe('reading', () => {
      test('answers in the order of the question, for what is there and what is not', async () => {
        const made = await define();
        const missing = { ...made, uuid: '00000000-0000-4000-8000-0000000000bb' as DomainUuid };
        const seen = await domains().read([missing, made, missing], never);
        expect(seen.map(({ status }) => status)).toEqual(['absent', 'present', 'absent']);
        expect(await domains().read([], over)).toEqual([]);
      });

      test('shows a view the same as a host', async () => {
        const made = await define();
        const { view } = subject;
        expect(await view.domains.read([made], never)).toEqual(await domains().read([made], never));
        expect(await view.domains.list(never)).toEqual(await domains().list(never));
        const facts = await view.domains.facts(never);
        expect(facts).toEqual({ ...(await domains().facts(never)), platform });
        expect(facts.cpus).toBeGreaterThan(0);
        expect(facts.memoryBytes % 1024).toBe(0);
        expect(facts.memoryBytes).toBeGreaterThan(2 ** 27);
        expect(Object.keys(view.domains).sort()).toEqual([
          'cids',
          'facts',
          'list',
          'read',
          'usage',
          'watch',
        ]);
        expect(Object.keys(view.installation)).toEqual(['read']);
      });
    });

    describe('what is not there, or not in the state for it, is refused', () => {
      const calls = {
        undefine: (ref: DomainRef) => domains().undefine(ref, never),
        start: (ref: DomainRef) => domains().start(ref, never),
        resume: (ref: DomainRef) => domains().resume(ref, never),
        shutdown: (ref: DomainRef) => domains().shutdown(ref, never),
        shutdownByAgent: (ref: DomainRef) => domains().shutdownByAgent(ref, never),
        powerOff: (ref: DomainRef) => domains().powerOff(ref, never),
        noteStop: (ref: DomainRef) => domains().noteStop(ref, true, never),
        setMemory: (ref: DomainRef) => domains().setMemory(ref, 64 * MiB, never),
        console: (ref: DomainRef) => domains().console(ref, never),
      };
      type CallName = keyof typeof calls;
      const all = Object.keys(calls) as CallName[];

      /** What becomes of each call, and of the domain by all of them. */
      const trying = async (names: readonly CallName[], ref: DomainRef) => {
        const before = await look(ref);
        const codes: unknown[] = [];
        for (const call of names) codes.push(`${call}: ${String(await refusal(calls[call](ref)))}`);
        return { codes, before, after: await look(ref) };
      };
      const nothing = (names: readonly CallName[], ref: ObservedDomain | null) => ({
        codes: names.map((call) => `${call}: Refused`),
        before: ref,
        after: ref,
      });

      test('of an absent domain everything', async () => {
        expect(await trying(all, definition())).toEqual(nothing(all, null));
      });

      test('of a stopped one what needs a guest', async () => {
        const ref = await define();
        const names = [
          'resume',
          'shutdown',
          'shutdownByAgent',
          'powerOff',
          'setMemory',
          'console',
        ] as const;
        expect(await trying(names, ref)).toEqual(nothing(names, await look(ref)));
      });

      test('of a running one to start or resume it', async () => {
        const ref = await started();
        const names = ['start', 'resume'] as const;
        expect(await trying(names, ref)).toEqual(nothing(names, await look(ref)));
      });

      test('of a paused one to start it or to press its button', async () => {
        const ref = await started();
        await subject.suspend(ref);
        const names = ['start', 'shutdown'] as const;
        expect(await trying(names, ref)).toEqual(nothing(names, await look(ref)));
      });

      test('of a transient one to undefine it or to mark it', async () => {
        const ref = await started();
        await domains().undefine(ref, never);
        const names = ['start', 'undefine', 'noteStop'] as const;
        expect(await trying(names, ref)).toEqual(nothing(names, await look(ref)));
      });

      test.each([
        ['a start without its kernel', 'kernel'],
        ['a start without its Image', 'kernelImage'],
      ])('%s, and it counts as failed', async (_what, kind) => {
        const boot = { kind, kernel: 'nosuch', initrd: null, commandLine: '' };
        const ref = await define({ boot: boot as Secondary['boot'] });
        await expect(domains().start(ref, never)).rejects.toMatchObject({ code: 'Refused' });
        expect(await look(ref)).toMatchObject({
          power: { status: 'stopped', reason: 'failed' },
          live: null,
        });
        await domains().define(definition(), never);
        expect(await look(ref)).toMatchObject({ power: { status: 'stopped', reason: 'failed' } });
      });

      test('the console of a guest without a serial port', async () => {
        const ref = await started({ serialConsole: false });
        const names = ['console'] as const;
        expect(await trying(names, ref)).toEqual(nothing(names, await look(ref)));
      });

      test('whatever it is, once the signal has fired, and without effect', async () => {
        const ref = await started();
        const before = await look(ref);
        const given = { ...ref, fields: { ...ref.fields, vcpus: 2, vcpusMax: 2 } };
        const calls: readonly Promise<unknown>[] = [
          domains().facts(over),
          domains().list(over),
          domains().read([ref], over),
          domains().define(given, over),
          domains().undefine(ref, over),
          domains().start(ref, over),
          domains().resume(ref, over),
          domains().shutdown(ref, over),
          domains().shutdownByAgent(ref, over),
          domains().powerOff(ref, over),
          domains().noteStop(ref, true, over),
          domains().setMemory(ref, 64 * MiB, over),
          domains().console(ref, over),
        ];
        const codes = await Promise.all(calls.map(refusal));
        expect(codes).toEqual(calls.map(() => 'Cancelled'));
        expect(await look(ref)).toEqual(before);
      });
    });

    describe('a guest', () => {
      test('runs on what was defined, and shuts down when its button is pressed', async () => {
        const ref = await started({ vcpus: 2 });
        expect(await look(ref)).toMatchObject({
          power: { status: 'running' },
          live: ref.fields,
          defined: ref.fields,
        });
        await lives(ref);
        await domains().shutdown(ref, never);
        await until(ref, stops);
        expect(await look(ref)).toMatchObject({
          power: { status: 'stopped', reason: 'guest-shutdown' },
          live: null,
        });
      });

      test('uses CPUs and memory, as long as it runs', async () => {
        const ref = await started();
        await lives(ref);
        const other = definition({}, 'other');
        const absent = {
          ...other,
          uuid: secondaryUuid({ ...other.owner, secondary: 'x' as never }),
        };
        const use = (view: HostView) => view.domains.usage([absent, ref], never);
        for (const each of [subject.host, subject.view]) {
          const [nobody, guest] = await use(each);
          expect(nobody).toBeNull();
          expect(guest?.cpuUs).toBeGreaterThanOrEqual(0);
          expect(guest?.memoryBytes).toBeGreaterThan(16 * MiB);
        }
        await domains().powerOff(ref, never);
        expect(await use(subject.view)).toEqual([null, null]);
      });

      test('is redefined without noticing', async () => {
        const ref = await started();
        const next = await define({ vcpus: 2, memoryBytes: 256 * MiB, stopGraceMs: 9000 });
        expect(await look(ref)).toMatchObject({
          power: { status: 'running' },
          live: ref.fields,
          defined: next.fields,
          lastApplied: next.fields,
        });
        await domains().powerOff(ref, never);
        await domains().start(ref, never);
        expect(await look(ref)).toMatchObject({ live: next.fields });
      });

      test('is powered off at once, whatever it thinks of it', async () => {
        const ref = await started({}, 'unnest.do=ignore-shutdown');
        await lives(ref);
        await domains().shutdown(ref, never);
        const watch = await domains().watch(ref);
        await watch.next(300, never);
        watch.close();
        expect(await look(ref)).toMatchObject({ power: { status: 'running' } });
        await domains().powerOff(ref, never);
        expect(await look(ref)).toMatchObject({
          power: { status: 'stopped', reason: 'powered-off' },
          live: null,
        });
      });

      test('that shuts itself down looks as if it had been asked to', async () => {
        const ref = await started({}, 'unnest.do=poweroff@1');
        await until(ref, stops);
        expect(await look(ref)).toMatchObject({
          power: { status: 'stopped', reason: 'guest-shutdown' },
          stopAsked: false,
        });
      });

      test('has another run id at its next start, and the same one until then', async () => {
        const ref = await started();
        const first = (await present(ref)).runId;
        expect(first).toEqual(expect.any(Number));
        await define({ vcpus: 2 });
        expect((await present(ref)).runId).toBe(first);
        await domains().powerOff(ref, never);
        expect((await present(ref)).runId).toBeNull();
        await domains().start(ref, never);
        const second = (await present(ref)).runId;
        expect(second).toEqual(expect.any(Number));
        expect(second).not.toBe(first);
      });

      test('loses its definition and not its life; it vanishes when it stops', async () => {
        const ref = await started();
        const next = await define({ vcpus: 2 });
        await domains().noteStop(ref, true, never);
        await domains().undefine(ref, never);
        expect(await look(ref)).toMatchObject({
          power: { status: 'running' },
          persistent: false,
          live: ref.fields,
          // What was taken away is still shown.
          defined: next.fields,
          stopAsked: true,
        });
        await domains().powerOff(ref, never);
        expect(await look(ref)).toBeNull();
      });

      test('gets its definition back, the note included', async () => {
        const ref = await started();
        await domains().noteStop(ref, true, never);
        await domains().undefine(ref, never);
        await define({ vcpus: 2 });
        expect(await look(ref)).toMatchObject({
          power: { status: 'running' },
          persistent: true,
          live: { vcpus: 1 },
          defined: { vcpus: 2 },
          stopAsked: true,
        });
      });

      test('is marked while it runs', async () => {
        const ref = await started();
        await domains().noteStop(ref, true, never);
        expect(await look(ref)).toMatchObject({ stopAsked: true, live: ref.fields });
        await domains().powerOff(ref, never);
        expect(await look(ref)).toMatchObject({ stopAsked: true });
      });

      test('gives memory back and takes it again, up to what it was started with', async () => {
        const ref = await started();
        await lives(ref);
        for (const bytes of [96 * MiB, 128 * MiB]) {
          await domains().setMemory(ref, bytes, never);
          await until(ref, (domain) => domain?.live?.memoryBytes === bytes);
        }
        const { live, defined } = await present(ref);
        expect(live).toEqual(ref.fields);
        expect(defined).toEqual(ref.fields);
        expect(await refusal(domains().setMemory(ref, 129 * MiB, never))).toBe('Refused');
        expect((await present(ref)).live).toEqual(ref.fields);
      });

      test('that sleeps moves nothing, and catches up when it is woken', async () => {
        const ref = await started();
        await lives(ref);
        await subject.suspend(ref);
        expect(await look(ref)).toMatchObject({ power: { status: 'paused' }, live: ref.fields });
        await domains().setMemory(ref, 96 * MiB, never);
        const watch = await domains().watch(ref);
        await watch.next(300, never);
        watch.close();
        expect(await look(ref)).toMatchObject({ power: { status: 'paused' }, live: ref.fields });
        await domains().resume(ref, never);
        expect(await look(ref)).toMatchObject({ power: { status: 'running' } });
        await until(ref, (domain) => domain?.live?.memoryBytes === 96 * MiB);
        await subject.suspend(ref);
        await domains().powerOff(ref, never);
        expect(await look(ref)).toMatchObject({ power: { reason: 'powered-off' } });
      });

      test('hears what is typed on its console, whoever has taken it from whom', async () => {
        const ref = await started();
        await lives(ref);
        for (const open of ['console', 'takeConsole'] as const) {
          const enough = new AbortController();
          const console = await domains()[open](ref, enough.signal);
          // What is typed before its terminal is there is lost, so it is typed until it is heard.
          const type = () => console.type(Buffer.from(`typed-${open}\r`));
          await type();
          let text = '';
          for await (const chunk of console) {
            text += Buffer.from(chunk).toString();
            if (text.includes(`typed-${open}`)) break;
            await type();
          }
          enough.abort();
          expect(text).toContain(`typed-${open}`);
        }
      });

      test('has a console that ends with it', async () => {
        const ref = await started({}, 'unnest.do=poweroff@5');
        let text = '';
        for await (const chunk of await domains().console(ref, never)) {
          text += Buffer.from(chunk).toString();
        }
        // That it has booted it says once, maybe before anybody listens.
        const said = `guest ${name} (booted:|up [0-9]+ s,) 1 vCPU, 128 MiB\r\n`;
        expect(text).toMatch(new RegExp(said));
        await until(ref, stops);
      });
    });

    describe('a note that a guest was found ready', () => {
      const check = 'TcpPort:5432';
      const runIdOf = async (ref: DomainRef) => (await present(ref)).runId ?? -1;

      test('is kept with that run, and changes no definition', async () => {
        const ref = await started();
        const { fingerprint, runId } = await present(ref);
        expect((await present(ref)).foundReady).toBeNull();
        await domains().noteReady(ref, { runId: runId ?? -1, check }, never);
        expect(await present(ref)).toMatchObject({ foundReady: check, fingerprint, runId });
        const next = await define({ vcpus: 2 });
        expect(await present(ref)).toMatchObject({ foundReady: check, defined: next.fields });
        await domains().powerOff(ref, never);
        expect((await present(ref)).foundReady).toBeNull();
        await domains().start(ref, never);
        expect((await present(ref)).foundReady).toBeNull();
      });

      test('is none of another run', async () => {
        const ref = await started();
        const before = await runIdOf(ref);
        await domains().powerOff(ref, never);
        await domains().start(ref, never);
        await domains().noteReady(ref, { runId: before, check }, never);
        expect((await present(ref)).foundReady).toBeNull();
        await domains().noteReady(ref, { runId: await runIdOf(ref), check }, never);
        expect((await present(ref)).foundReady).toBe(check);
      });

      test('is refused where no guest runs', async () => {
        const ref = await define();
        const run = { runId: 1, check };
        expect(await refusal(domains().noteReady(ref, run, never))).toBe('Refused');
      });
    });

    describe('a vsock device', () => {
      test('is there if it was asked for, with an address of its own, and goes again', async () => {
        const ref = await define({ readiness: 'Heartbeat' });
        expect(await present(ref)).toMatchObject({ defined: ref.fields, foreignCid: null });
        const { cid } = (await domains().cids(never)).find(({ uuid }) => uuid === ref.uuid) ?? {};
        expect(cid).toBe(cidOf(ref.uuid));
        const next = await define();
        expect((await present(ref)).defined).toEqual(next.fields);
        expect((await domains().cids(never)).map(({ uuid }) => uuid)).not.toContain(ref.uuid);
      });
    });

    describe('a guest agent', () => {
      const withAgent = { guestAgent: true };
      const answers = (domain: ObservedDomain | null) => domain?.agent === 'connected';
      /** What becomes of it once it is not given up: a guest may take longer to answer than it is waited for. */
      const asking = async (ask: () => Promise<unknown>) => {
        let code = await refusal(ask());
        while (code === 'Timeout') code = await refusal(ask());
        return code;
      };

      test('has a channel only if it was asked for, and is not there before its guest is', async () => {
        expect((await present(await define(withAgent))).agent).toBe('none');
        const ref = await started(withAgent);
        expect(await look(ref)).toMatchObject({ agent: 'disconnected', live: ref.fields });
        const next = await define();
        expect(await look(ref)).toMatchObject({
          agent: 'disconnected',
          live: ref.fields,
          defined: next.fields,
        });
        await domains().powerOff(ref, never);
        await domains().start(ref, never);
        expect(await look(ref)).toMatchObject({ agent: 'none', live: next.fields });
      });

      test('is seen when it answers, and shuts a guest down that hears no button', async () => {
        const ref = await started(withAgent, 'unnest.do=agent unnest.do=ignore-shutdown');
        await until(ref, answers);
        // It may answer late or never; what becomes of the guest is what counts.
        const asked = asking(() => domains().shutdownByAgent(ref, never));
        await until(ref, stops);
        expect(await look(ref)).toMatchObject({
          power: { status: 'stopped', reason: 'guest-shutdown' },
          agent: 'none',
        });
        await asked;
      });

      test('that answers a question is there', async () => {
        const ref = await started(withAgent, 'unnest.do=agent');
        await until(ref, answers);
        expect(await asking(() => domains().askAgent(ref, never))).toBeNull();
      });

      test('that is not there does not answer one', async () => {
        const without = await started();
        expect(await refusal(domains().askAgent(without, never))).toBe('Unsupported');
        await domains().powerOff(without, never);
        await define(withAgent);
        await domains().start(without, never);
        expect(await refusal(domains().askAgent(without, never))).toBe('Timeout');
      });

      test('that is not there cannot be asked', async () => {
        const ref = await started();
        expect(await refusal(domains().shutdownByAgent(ref, never))).toBe('Unsupported');
        await domains().powerOff(ref, never);
        await define(withAgent);
        await domains().start(ref, never);
        expect(await refusal(domains().shutdownByAgent(ref, never))).toBe('Timeout');
        expect(await look(ref)).toMatchObject({ power: { status: 'running' } });
      });

      test('of a guest that sleeps cannot be asked either', async () => {
        const ref = await started(withAgent, 'unnest.do=agent');
        await until(ref, answers);
        await subject.suspend(ref);
        expect(await refusal(domains().shutdownByAgent(ref, never))).toBe('Refused');
      });
    });

    describe('a watch', () => {
      test('tells of what has changed since it was asked, and otherwise of the time', async () => {
        const ref = await define();
        const watch = await domains().watch(ref);
        await watch.next(10, never);
        await domains().start(ref, never);
        await watch.next(100_000, never);
        const ending = new AbortController();
        const quiet = watch.next(100_000, ending.signal);
        ending.abort();
        await expect(quiet).resolves.toBeUndefined();
        watch.close();
      });

      test('of an absent domain is none to complain about', async () => {
        const watch = await domains().watch(definition());
        await expect(watch.next(10, never)).resolves.toBeUndefined();
        watch.close();
      });
    });

    describe('the store', () => {
      test('knows the sizes of its files, and what is no file of it', async () => {
        const { store } = host();
        const size = (file: string, of = subject.partition) => store.size(of, file as FileName);
        expect(await size('vmlinuz')).toEqual({ status: 'present', value: expect.any(Number) });
        expect(await size('nosuch')).toEqual({ status: 'absent' });
        expect(await size('vmlinuz', 'elsewhere' as PartitionName)).toEqual({ status: 'absent' });
      });
    });

    test('the installation id is recorded once', async () => {
      const { installation: recorded } = host();
      const another = '00000000-0000-4000-8000-0000000000cc' as InstallationId;
      expect(await recorded.read()).toBeNull();
      expect(await recorded.record(installation)).toBe('applied');
      expect(await recorded.record(installation)).toBe('already');
      expect(await refusal(recorded.record(another))).toBe('Conflict');
      expect(await recorded.read()).toBe(installation);
      expect(await subject.view.installation.read()).toBe(installation);
    });
  });
}
