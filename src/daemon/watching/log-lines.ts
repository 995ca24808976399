/**
 * What each event is in the log: how grave, which constant message, which fields. Whatever varies is
 * a field, so that a search for a message finds every line of its kind.
 */
import type { DaemonEvent, OutcomeWord } from '../../report/event.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface LogLine {
  readonly level: LogLevel;
  readonly message: string;
}

/** The fields of a line are those of its event, but `kind`, which is called `event` there. */
export function logLineOf(event: DaemonEvent): LogLine {
  switch (event.kind) {
    case 'daemon-started':
      return info('unnestd has started');
    case 'daemon-stopping':
      return info('unnestd is stopping');
    case 'host-lost':
      return error('the host does not answer');
    case 'host-back':
      return info('the host answers');
    case 'channel-open':
      return info('Primaries may speak');
    case 'channel-unavailable':
      return error('Primaries cannot be listened to');
    case 'channel-refused':
      return warn('somebody on the channel is not listened to');
    case 'heartbeats-open':
      return info('guests may say that they are ready');
    case 'heartbeats-unavailable':
      return error('heartbeats of guests cannot be heard');
    case 'heartbeat-refused':
      return warn('a heartbeat is not heard');
    case 'audit-not-written':
      return error('the audit log could not be written');
    case 'console-not-kept':
      return error('what guests write to their consoles could not be kept');
    case 'config-problem':
      return error('the configuration has a problem');
    case 'partition-added':
      return info('a partition was added');
    case 'partition-removed':
      return info('a partition was removed');
    case 'submission-accepted':
      return info('documents were accepted');
    case 'submission-refused':
      return warn('documents were refused');
    case 'bundle-torn':
      return error('accepted documents could not be read back');
    case 'worker-failed':
      return warn('the worker that reads documents has failed');
    case 'fetch-failed':
      return warn('an image could not be fetched');
    case 'hand-over-dropped':
      return warn('what was said of the disk of an image is forgotten');
    case 'pass-started':
      return debug('a pass has started');
    case 'pass-finished':
      return passFinished(event);
    case 'pass-failed':
      return error('a pass has failed');
    case 'operation-finished':
      return { level: levelOf(event.outcome), message: 'an operation has finished' };
    case 'condition-changed':
      return info('a condition has changed');
    case 'conditions-changed':
      return info('more conditions have changed');
    case 'guest-ended':
      return warn('a guest has ended by itself');
    case 'requested':
      return info('something was requested');
    case 'retry-planned':
      return info('what has failed will be tried again');
    case 'gave-up':
      return error('what fails is no longer tried');
    case 'status-not-written':
      return error('a status file could not be written');
  }
}

/** A converged world is looked at again and again, and nobody wants to read of it. */
function passFinished(event: Extract<DaemonEvent, { kind: 'pass-finished' }>): LogLine {
  const message = 'a pass has finished';
  if (event.failed > 0) return warn(message);
  return event.operations > 0 ? info(message) : debug(message);
}

function levelOf(outcome: OutcomeWord): LogLevel {
  switch (outcome) {
    case 'applied':
    case 'skipped':
    case 'cancelled':
      return 'info';
    case 'already':
      return 'debug';
    case 'failed':
      return 'warn';
  }
}

const debug = (message: string): LogLine => ({ level: 'debug', message });
const info = (message: string): LogLine => ({ level: 'info', message });
const warn = (message: string): LogLine => ({ level: 'warn', message });
const error = (message: string): LogLine => ({ level: 'error', message });
