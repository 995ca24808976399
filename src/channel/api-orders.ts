/** The routes that change something. Who asks is said by the kernel, never by the message. */
import type * as z from 'zod';
import type { PartitionName, SecondaryName } from '../model/names.ts';
import type { Runtime } from '../daemon/runtime.ts';
import { instantOf } from '../report/instant.ts';
import type { SubmissionResult } from '../report/submission.ts';
import { type Answered, ofAnswer, ofSubmission, problem } from './answered.ts';
import type { Answer, Control, PowerAction } from './control.ts';
import type {
  drainSchema,
  pauseSchema,
  resumeSchema,
  rollbackSchema,
  submissionSchema,
} from './messages.ts';
import { apiProblem } from './problem.ts';

export interface Orders {
  submit(name: PartitionName, body: z.output<typeof submissionSchema>): Promise<Answered>;
  rollback(name: PartitionName, body: z.output<typeof rollbackSchema>): Promise<Answered>;
  pause(name: PartitionName, body: z.output<typeof pauseSchema>): Promise<Answered>;
  resume(name: PartitionName, body: z.output<typeof resumeSchema>): Promise<Answered>;
  power(name: PartitionName, who: SecondaryName, action: PowerAction): Promise<Answered>;
  retry(name: PartitionName): Promise<Answered>;
  drain(name: PartitionName, body: z.output<typeof drainSchema>): Promise<Answered>;
}

export function ordersOf(control: Control, runtime: Runtime, submitter: string): Orders {
  const submission = (result: SubmissionResult | null, name: PartitionName) =>
    ofSubmission(result, name, control);
  const answered = (answer: Answer | null, name: PartitionName) => ofAnswer(answer, name, control);
  return {
    submit: async (name, body) => submission(await submit(control, name, body, submitter), name),
    rollback: async (name, { generation }) =>
      submission(await control.rollback(name, generation, submitter), name),
    pause: async (name, { secondary = null, reason, ...end }) => {
      const expiresAt = expiryOf(end, runtime);
      return answered(await control.pause(name, { secondary, reason, submitter, expiresAt }), name);
    },
    resume: async (name, { secondary = null }) =>
      answered(await control.resume(name, secondary, submitter), name),
    power: async (name, who, action) =>
      answered(await control.power(name, who, action, submitter), name),
    retry: async (name) => answered(await control.retry(name, submitter), name),
    drain: async (name, { confirm }) => {
      if (confirm === name) return answered(await control.drain(name, submitter), name);
      const detail = `to empty partition ${name}, "confirm" has to be its name`;
      return problem(apiProblem('NotConfirmed', detail));
    },
  };
}

function submit(
  control: Control,
  name: PartitionName,
  body: z.output<typeof submissionSchema>,
  submitter: string,
) {
  return control.submit(name, {
    source: 'Apply',
    submitter,
    files: body.files,
    generation: body.generation ?? null,
    ifGeneration: body.ifGeneration ?? null,
    deleteEverything: body.deleteEverything ?? false,
    deletionsMax: body.deletionsMax ?? null,
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
