/**
 * What each route of the API is for and answers, for `schemas/openapi.*.json`. Answers are what clients
 * check, and may hold more than that: a reader has to bear what it does not know.
 */
import * as z from 'zod';
import { METRICS_TYPE } from './api-reads.ts';
import type { Says } from './api-route.ts';
import * as answers from './client-answers.ts';
import { partitionStatusSchema } from './partition-status-schema.ts';

export const version: Says = {
  summary: 'Who answers, in which version, and to a Primary for which partition.',
  answer: answers.versionAnswer,
};
export const partitions: Says = {
  summary: 'Every partition, and what is wrong with the descriptions of those that are not there.',
  answer: answers.partitionsAnswer,
};
export const status: Says = {
  summary: 'How the partition is, with every Secondary, its usage and its limits: one read.',
  answer: partitionStatusSchema,
};
export const watchedStatus: Says = {
  summary: 'The same; with watch=1 one at once and one at every change.',
  answer: partitionStatusSchema,
  isStream: true,
};
export const events: Says = {
  summary:
    'What has happened since `after`, oldest first; with watch=1 also what happens from now on. Go on with the last `seq`; EventsGone tells that something in between is lost.',
  answer: answers.eventAnswer,
  isStream: true,
};
export const agent: Says = {
  summary: "Be the Primary's agent for as long as the stream is open. There is one at a time.",
  answer: answers.agentAnswer,
  isStream: true,
};
export const audit: Says = {
  summary: 'Who has asked for what of a partition, or of all, and what came of it; oldest first.',
  answer: answers.auditAnswer,
};
export const beat: Says = {
  summary: 'What the agent answers to each beat of its stream, or it loses its place after three.',
  answer: answers.orderAnswer,
};
export const console: Says = {
  summary:
    'What a running Secondary writes to its serial console, from the last 64 KiB on; many may read it, and one of them may type.',
  answer: answers.consoleAnswer,
  isStream: true,
};
export const consoleLog: Says = {
  summary:
    'What a Secondary has written to its serial console in its last run, or with previous=1 in the one before: at most the last 2 MiB; with follow=1 also what comes, after a line `now`, until the run ends.',
  answer: answers.consoleLogAnswer,
  isStream: true,
};
export const consoleClaim: Says = {
  summary:
    'Makes a reader of that console the one that types there, until it stops reading; SomebodyTypes tells who does. `force` takes it from them.',
  answer: answers.orderAnswer,
};
export const consoleInput: Says = {
  summary:
    'Types on a console, as the reader that may: at most 4 KiB, and the next when this is answered. GuestReadsNothing: the guest leaves it where it is.',
  answer: answers.orderAnswer,
};
export const desired: Says = {
  summary: 'The documents in force, with their generation and digest.',
  answer: answers.bundleAnswer,
};
export const description: Says = {
  summary: "The operator's description of the partition.",
  answer: answers.descriptionAnswer,
};
export const usage: Says = {
  summary:
    'What the partition uses just now, as the kernel and libvirt count it; with secondaries=1 also each that runs.',
  answer: answers.usageAnswer,
};
export const metrics: Says = {
  summary: 'The metrics of this partition, in the text format of Prometheus.',
  answer: z.string(),
  type: METRICS_TYPE,
};
export const history: Says = {
  summary: 'The generations that are kept, without their documents.',
  answer: answers.historyAnswer,
};
export const submission: Says = {
  summary:
    'Hands in all documents of the partition; what none of them names is to go. `ifGeneration` makes it conditional.',
  answer: answers.submissionAnswer,
};
export const image: Says = {
  summary: 'How far an Image of the documents in force is, and how its bytes are to come in.',
  answer: answers.imageAnswer,
};
export const upload: Says = {
  summary:
    'Bytes of an Image that is uploaded, as many at a time as fit in 4 MiB: `at` is how many have come before, and 0 begins anew.',
  answer: answers.uploadAnswer,
};
export const imageWritten: Says = {
  summary:
    'All of an Image is on the disk that was lent for it, or on the image disk, which is unmounted. The disk is taken back, and becomes the Image, or its file does, if it is what its digest says; else it is lent again. Refused while the Image is blocked for anything else (ImageBlocked).',
  answer: answers.orderAnswer,
};
export const plan: Says = {
  summary: 'What handing these in would do, as the host would plan it now. Nothing comes of it.',
  answer: answers.planAnswer,
};
export const rollback: Says = {
  summary: 'Accepts the documents of an earlier generation anew.',
  answer: answers.submissionAnswer,
};
export const retry: Says = {
  summary: 'Tries at once what has failed, also what was given up.',
  answer: answers.orderAnswer,
};
export const pause: Says = {
  summary: 'Leaves one Secondary, or the whole partition, alone.',
  answer: answers.orderAnswer,
};
export const resume: Says = {
  summary: 'Ends a pause, and an emptying.',
  answer: answers.orderAnswer,
};
export const drain: Says = {
  summary: 'Empties the partition; `confirm` has to be its name.',
  answer: answers.orderAnswer,
};
export const operatorsOnly: Says = {
  summary: "For the host's operators: always refused here, with OperatorsOnly.",
  answer: answers.orderAnswer,
};
export const power = (action: string): Says => ({
  summary: `Asks for one ${action}, once: asking again before it is done asks for nothing more.`,
  answer: answers.orderAnswer,
});
