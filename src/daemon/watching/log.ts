/**
 * The log: one line of JSON for each event, by pino, into a destination that is handed in. No
 * transports, so no worker threads: whoever runs the daemon (journald, a container) keeps its lines.
 * What cannot be written is counted and said with the next line that can; it never ends the daemon.
 */
import { pino } from 'pino';
import type { EventRecord } from '../../report/event.ts';
import { instantOf } from '../../report/instant.ts';
import type { Clock } from '../runtime.ts';
import { logFieldsOf } from './log-fields.ts';
import { type LogLevel, logLineOf } from './log-lines.ts';

export interface LogDestination {
  /** Takes one line, its end included. Throws if it cannot take it. */
  write(line: string): void;
}

export interface Log {
  record(record: EventRecord): void;
  /** For what no event tells of: a bug that was survived. */
  bug(error: unknown): void;
}

/** @param level the least grave that is written */
export function openLog(
  destination: LogDestination,
  level: LogLevel,
  clock: Pick<Clock, 'wall'>,
): Log {
  let linesLost = 0;
  const logger = pino(
    {
      level,
      // Neither pid nor host name: journald has both.
      base: null,
      timestamp: () => `,"time":"${instantOf(clock.wall())}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    {
      write: (line) => {
        try {
          destination.write(line);
          linesLost = 0;
        } catch {
          linesLost += 1;
        }
      },
    },
  );
  const lost = () => (linesLost === 0 ? {} : { linesLost });
  return {
    record: ({ seq, event }) => {
      const line = logLineOf(event);
      logger[line.level]({ seq, ...logFieldsOf(event), ...lost() }, line.message);
    },
    bug: (error) => {
      const trace = error instanceof Error ? (error.stack ?? error.message) : String(error);
      logger.error({ trace: trace.slice(0, traceCharactersMax), ...lost() }, 'a bug was survived');
    },
  };
}

const traceCharactersMax = 4000;
