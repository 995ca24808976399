/** What happens in the daemon, one line each, for a person. */
import type { StopReason } from '../../model/domain.ts';
import type { DaemonEvent, EventRecord, OutcomeWord } from '../../report/event.ts';
import { formatDuration, nameOf } from './outcomes.ts';
import { type Paint, printable } from './paint.ts';

/** `2026-01-01 12:00:00  team-a  web: define: done, 12 ms` */
export function eventLine({ at, event }: EventRecord, paint: Paint): string {
  const time = printable(at.replace('T', ' ').replace(/(?:\.\d+)?Z$/, ''));
  const where = 'partition' in event ? event.partition : '-';
  return `${paint.dim(time)}  ${printable(where).padEnd(12)}  ${eventWords(event, paint)}`;
}

/** Without time and partition. Nothing in it that a terminal would obey. */
export function eventWords(event: DaemonEvent, paint: Paint): string {
  const { text, colour } = said(event);
  const words = printable(text);
  return colour === null ? words : paint[colour](words);
}

interface Said {
  readonly text: string;
  readonly colour: 'red' | 'yellow' | 'green' | 'dim' | null;
}

const plainly = (text: string): Said => ({ text, colour: null });
const good = (text: string): Said => ({ text, colour: 'green' });
const bad = (text: string): Said => ({ text, colour: 'red' });
const careful = (text: string): Said => ({ text, colour: 'yellow' });
const aside = (text: string): Said => ({ text, colour: 'dim' });

const timesOf = ({ times }: { readonly times: number }) => (times > 1 ? ` (${times} times)` : '');

function said(event: DaemonEvent): Said {
  switch (event.kind) {
    case 'daemon-started':
      return plainly(`unnestd ${event.version} has started`);
    case 'daemon-stopping':
      return plainly('unnestd is stopping');
    case 'host-lost':
      return bad(`the host does not answer: ${event.message}`);
    case 'host-back':
      return good('the host answers again');
    case 'channel-open':
      return plainly(`Primaries may speak on vsock port ${event.port}`);
    case 'channel-unavailable':
      return bad(`Primaries cannot be listened to: ${event.message}`);
    case 'channel-refused':
      return careful(`CID ${event.cid} is not listened to: ${event.reason}${timesOf(event)}`);
    case 'heartbeats-open':
      return plainly(`guests may say on vsock port ${event.port} that they are ready`);
    case 'heartbeats-unavailable':
      return bad(`heartbeats of guests cannot be heard: ${event.message}`);
    case 'heartbeat-refused':
      return careful(
        `CID ${event.cid} is not heard on the port of heartbeats: ${event.reason}${timesOf(event)}`,
      );
    case 'audit-not-written':
      return bad(`the audit log could not be written: ${event.message}`);
    case 'console-not-kept':
      return bad(`what guests write to their consoles could not be kept: ${event.message}`);
    case 'config-problem':
      return bad(`configuration: ${event.code}: ${event.message}`);
    case 'partition-added':
      return plainly('the partition is looked after from now on');
    case 'partition-removed':
      return plainly('the partition is no longer looked after');
    case 'submission-accepted':
    case 'submission-refused':
    case 'bundle-torn':
    case 'worker-failed':
      return documentsSaid(event);
    case 'fetch-failed':
      return bad(`fetching Image ${event.image}: ${event.code}: ${event.message}`);
    case 'hand-over-dropped': {
      const { image, code, message } = event;
      return bad(`Image ${image} is to be handed over again: it was blocked: ${code}: ${message}`);
    }
    case 'pass-started':
    case 'pass-finished':
    case 'pass-failed':
    case 'operation-finished':
    case 'retry-planned':
    case 'gave-up':
      return workSaid(event);
    case 'condition-changed':
      return conditionSaid(event);
    case 'conditions-changed':
      return plainly(`and ${event.count} more conditions have changed: ask for the status`);
    case 'guest-ended':
      return careful(guestEnded(event));
    case 'requested': {
      const who = event.secondary === null ? '' : ` ${event.secondary}`;
      return plainly(`${event.submitter} asked: ${event.action}${who}${after(event.message)}`);
    }
    case 'status-not-written':
      return bad(`the status could not be written: ${event.message}`);
  }
  return unknownSaid(event);
}

/** Of a daemon that is newer than this program. */
function unknownSaid(event: never): Said {
  return aside(JSON.stringify(event));
}

type Of<K extends DaemonEvent['kind']> = Extract<DaemonEvent, { readonly kind: K }>;

function documentsSaid(
  event: Of<'submission-accepted' | 'submission-refused' | 'bundle-torn' | 'worker-failed'>,
): Said {
  switch (event.kind) {
    case 'submission-accepted': {
      const { generation, documents, source, submitter } = event;
      return good(
        `accepted generation ${generation}: ${documents} documents, by ${source} (${submitter})`,
      );
    }
    case 'submission-refused':
      return bad(
        `refused documents by ${event.source} (${event.submitter}): ${event.code}: ${event.message}`,
      );
    case 'bundle-torn':
      return bad(`generation ${event.generation} could not be read back: ${event.message}`);
    case 'worker-failed':
      return bad(`reading documents: ${event.code}: ${event.message}`);
  }
}

function workSaid(
  event: Of<
    | 'pass-started'
    | 'pass-finished'
    | 'pass-failed'
    | 'operation-finished'
    | 'retry-planned'
    | 'gave-up'
  >,
): Said {
  switch (event.kind) {
    case 'pass-started':
      return aside(`looks, because of ${event.because.join(', ')}`);
    case 'pass-finished': {
      const { operations, failed, blocked, durationMs } = event;
      const text = `looked: ${operations} operations, ${failed} failed, ${blocked} blocked, ${formatDuration(durationMs)}`;
      return failed > 0 ? bad(text) : aside(text);
    }
    case 'pass-failed':
      return bad(`looking failed: ${event.message}`);
    case 'operation-finished':
      return operationSaid(event);
    case 'retry-planned':
      return careful(`tries again in ${formatDuration(event.waitMs)} (attempt ${event.attempt})`);
    case 'gave-up':
      return bad(`gave up after ${event.attempts} attempts: ${event.message}`);
  }
}

function operationSaid(event: Of<'operation-finished'>): Said {
  const { operation, resource, outcome, durationMs, detail } = event;
  const subject = resource === null ? 'host' : nameOf(resource);
  // `domain.set-memory` of web: what it is about is said by the subject.
  const verb = operation.slice(operation.indexOf('.') + 1).replaceAll('-', ' ');
  const text = `${subject}: ${verb}: ${outcomeWords[outcome]}${after(detail)}, ${formatDuration(durationMs)}`;
  return { text, colour: outcomeColours[outcome] };
}

const outcomeWords: { readonly [O in OutcomeWord]: string } = {
  applied: 'done',
  already: 'was so already',
  failed: 'failed',
  skipped: 'skipped',
  cancelled: 'not begun',
};

const outcomeColours: { readonly [O in OutcomeWord]: Said['colour'] } = {
  applied: 'green',
  already: 'green',
  failed: 'red',
  skipped: 'yellow',
  cancelled: 'yellow',
};

function conditionSaid(event: Of<'condition-changed'>): Said {
  const { secondary, type, status, reason, message } = event;
  const subject = secondary === null ? '' : `${secondary}: `;
  return plainly(`${subject}${type} is ${status}: ${reason}${after(message)}`);
}

function guestEnded({ secondary, reason, times, waitMs }: Of<'guest-ended'>): string {
  const again = times > 1 ? `, ${times} times in a row` : '';
  const wait = waitMs === 0 ? '' : `; its next start waits ${formatDuration(waitMs)}`;
  return `${secondary}: ${endedWords[reason]}${again}${wait}`;
}

const endedWords: { readonly [R in StopReason]: string } = {
  'guest-shutdown': 'the guest shut itself down',
  'powered-off': 'somebody powered it off',
  crashed: 'the guest crashed',
  failed: 'it could not be started',
  unknown: 'the guest has ended',
};

const after = (text: string) => (text === '' ? '' : `: ${text}`);
