/** The routes that change something. Who asks is said by the kernel, never by the message. */
import type * as z from 'zod';
import type { ImageName, PartitionName, SecondaryName } from '../model/names.ts';
import type { Runtime } from '../daemon/runtime.ts';
import { instantOf } from '../report/instant.ts';
import type { SubmissionResult, SubmissionSource } from '../report/submission.ts';
import { type Answered, ofAnswer, ofRefusable, ofSubmission, problem, value } from './answered.ts';
import type { Answer, Control, OrderKey, PowerAction } from './control.ts';
import type {
  consoleClaimSchema,
  consoleInputSchema,
  drainSchema,
  pauseSchema,
  planSchema,
  resumeSchema,
  rollbackSchema,
  submissionSchema,
} from './messages.ts';
import { apiProblem } from './problem.ts';

export interface Orders {
  readonly by: By;
  submit(name: PartitionName, body: z.output<typeof submissionSchema>): Promise<Answered>;
  plan(name: PartitionName, body: z.output<typeof planSchema>): Promise<Answered>;
  rollback(name: PartitionName, body: z.output<typeof rollbackSchema>): Promise<Answered>;
  pause(name: PartitionName, body: z.output<typeof pauseSchema>): Promise<Answered>;
  resume(name: PartitionName, body: z.output<typeof resumeSchema>): Promise<Answered>;
  power(name: PartitionName, who: SecondaryName, action: PowerAction): Promise<Answered>;
  upload(
    name: PartitionName,
    image: ImageName,
    atByte: number,
    bytes: Uint8Array,
  ): Promise<Answered>;
  imageWritten(name: PartitionName, image: ImageName): Promise<Answered>;
  retry(name: PartitionName): Promise<Answered>;
  drain(name: PartitionName, body: z.output<typeof drainSchema>): Promise<Answered>;
  claimConsole(
    name: PartitionName,
    who: SecondaryName,
    body: z.output<typeof consoleClaimSchema>,
  ): Answered;
  type(
    name: PartitionName,
    who: SecondaryName,
    body: z.output<typeof consoleInputSchema>,
  ): Promise<Answered>;
}

/** Who asks, and as what it counts. */
export interface By {
  /** Null: nothing tells this order from another like it. */
  readonly key: OrderKey | null;
  readonly submitter: string;
  readonly source: SubmissionSource;
  /** Fires when nobody waits for the answer any more. */
  readonly over: () => AbortSignal;
}

export function ordersOf(control: Control, runtime: Runtime, by: By): Orders {
  const { submitter, key, over } = by;
  const submission = (result: SubmissionResult | null, name: PartitionName) =>
    ofSubmission(result, name, control);
  const answered = (answer: Answer | null, name: PartitionName) => ofAnswer(answer, name, control);
  return {
    by,
    submit: async (name, body) => submission(await submit(control, name, body, by), name),
    plan: async (name, { files, deleteEverything = false, deletionsMax = null }) => {
      const planned = await control.plan(name, { files, deleteEverything, deletionsMax });
      if (planned?.status === 'planned') return value(planned);
      return submission(planned, name);
    },
    rollback: async (name, { generation }) =>
      submission(await control.rollback(name, generation, submitter), name),
    pause: async (name, { secondary = null, reason, ...end }) => {
      const expiresAt = expiryOf(end, runtime);
      return answered(await control.pause(name, { secondary, reason, submitter, expiresAt }), name);
    },
    resume: async (name, { secondary = null }) =>
      answered(await control.resume(name, secondary, submitter), name),
    power: async (name, who, action) =>
      answered(await control.power(name, who, action, submitter, key), name),
    upload: async (name, image, atByte, bytes) =>
      ofRefusable(await control.upload(name, image, atByte, bytes), name, control, (done) => done),
    imageWritten: async (name, image) =>
      answered(await control.imageWritten(name, image, submitter, over()), name),
    retry: async (name) => answered(await control.retry(name, submitter), name),
    drain: async (name, { confirm }) => {
      if (confirm === name) return answered(await control.drain(name, submitter), name);
      const detail = `to empty partition ${name}, "confirm" has to be its name`;
      return problem(apiProblem('NotConfirmed', detail));
    },
    claimConsole: (name, who, { reader, force = false }) =>
      answered(control.claimConsole(name, who, { reader, force }, submitter), name),
    type: async (name, who, { reader, data }) => {
      const bytes = Buffer.from(data, 'base64');
      return answered(await control.typeOnConsole(name, who, reader, bytes), name);
    },
  };
}

function submit(
  control: Control,
  name: PartitionName,
  body: z.output<typeof submissionSchema>,
  by: By,
) {
  return control.submit(name, {
    submitter: by.submitter,
    source: by.source,
    files: body.files,
    generation: body.generation ?? null,
    ifGeneration: body.ifGeneration ?? null,
    deleteEverything: body.deleteEverything ?? false,
    deletionsMax: body.deletionsMax ?? null,
    folder: body.folder ?? null,
  });
}

interface End {
  readonly expiresAt?: string | null | undefined;
  readonly forSeconds?: number | null | undefined;
}

/** A duration is counted on the daemon's clock, which is the one that ends the pause. */
function expiryOf({ expiresAt, forSeconds }: End, { clock }: Runtime): string | null {
  if (typeof forSeconds === 'number') return instantOf(clock.wall() + forSeconds * 1000);
  return expiresAt ?? null;
}
