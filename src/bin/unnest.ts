#!/usr/bin/env node
/** The `unnest` program: wires adapters, signals and streams to the command line. */
import { addAbortSignal } from 'node:stream';
import { exitCodes } from '../cli/exit-codes.ts';
import { bugReport, main } from '../cli/main.ts';
import { newInstallationId } from '../host/local/installation.ts';
import { collect } from '../cli/read-bytes.ts';
import { adapters } from './adapters.ts';
import { withAgentPlace } from './agent-place.ts';
import { reportLostOutput } from './lost-output.ts';
import { askOnTerminal, outputOf, terminalOf } from './streams.ts';
import { interruptions } from './signals.ts';
import { version } from './version.ts';

const stdout = outputOf(process.stdout);
const stderr = outputOf(process.stderr);
const { stop, abort } = interruptions(process);

// Until `main` says otherwise; Node's own code for what nobody caught is `diff`'s for differences.
process.exitCode = exitCodes.bug;
process.on('uncaughtException', (error) => {
  process.stderr.write(bugReport(error));
  process.exit(exitCodes.bug);
});

// Only at the end is it known whether everything could be written.
process.once('exit', (code) => {
  process.exitCode = reportLostOutput({ stdout, stderr }, code);
});

process.exitCode = await main(process.argv.slice(2), version, {
  variables: withAgentPlace(
    new Map(Object.entries(process.env).map(([name, value]) => [name, value ?? ''])),
  ),
  stdout,
  stderr,
  ask: askOnTerminal(process.stdin, process.stderr, stop),
  terminal: terminalOf(process.stdin, process.stdout),
  standardInput: (signal) => addAbortSignal(signal, process.stdin),
  readStandardInput: (bytesMax, signal) => collect(process.stdin, bytesMax, signal),
  ...adapters,
  newInstallationId,
  now: () => performance.now(),
  stop,
  abort,
});
