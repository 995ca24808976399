/**
 * From a plan to its report, for every command that changes something: show it, ask where a guest
 * would be stopped, run exactly that plan, say what became of it.
 */
import { execute } from '../execute/execute.ts';
import type { Report } from '../execute/outcome.ts';
import type { Host } from '../host/ports.ts';
import type { Plan } from '../plan/plan.ts';
import { summarise } from '../plan/summary.ts';
import { CommandError, usageError } from './command-error.ts';
import type { Environment } from './environment.ts';
import { type ExitCode, exitCodes } from './exit-codes.ts';
import type { Limits } from './pass.ts';
import { Progress } from './progress.ts';
import { renderReport, tally } from './render/outcomes.ts';
import { paintFor } from './render/paint.ts';
import { renderPlan } from './render/plan.ts';
import { planJson } from './render/plan-json.ts';
import { reportJson } from './render/report-json.ts';

/** libvirt's server works on five calls of one client at a time. */
const inFlightMax = 4;

export interface CarryOutOptions {
  readonly output: 'text' | 'json';
  readonly yes: boolean;
}

export async function carryOut(
  plan: Plan,
  host: Host,
  options: CarryOutOptions,
  environment: Environment,
  limits: Limits,
): Promise<ExitCode> {
  const { stdout, variables } = environment;
  const paint = paintFor(stdout, variables);
  if (options.output === 'text') stdout.write(renderPlan(plan, paint));
  if (!options.yes) await consent(plan, environment);
  const report = await run(plan, host, options, environment, limits);
  if (options.output === 'json') {
    const document = { plan: planJson(plan), report: reportJson(report) };
    stdout.write(`${JSON.stringify(document, null, 2)}\n`);
  } else if (report.outcomes.length > 0) {
    stdout.write(renderReport(report, paint));
  }
  return exitCodeFor(plan, report, environment, limits);
}

async function run(
  plan: Plan,
  host: Host,
  { output }: CarryOutOptions,
  environment: Environment,
  limits: Limits,
): Promise<Report> {
  // Progress of `-o json` goes where it does not mix with the document.
  const to = output === 'json' ? environment.stderr : environment.stdout;
  const progress = new Progress(to, paintFor(to, environment.variables), environment.now);
  try {
    return await execute(plan, host, {
      inFlightMax,
      stop: limits.stop,
      abort: environment.abort,
      now: environment.now,
      onStart: (operation) => progress.started(operation),
      onOutcome: (outcome) => progress.finished(outcome),
    });
  } finally {
    progress.end();
  }
}

/** Whoever removes a document or allows restarts in it is still asked before a guest goes down. */
async function consent(plan: Plan, { ask }: Environment): Promise<void> {
  const summary = summarise(plan);
  const stops = (
    [
      [summary.delete, 'deletes'],
      [summary.restart, 'restarts'],
      [summary.stop, 'shuts down'],
    ] as const
  )
    .filter(([count]) => count > 0)
    .map(([count, verb]) => `${verb} ${count}`)
    .join(', ');
  if (stops === '') return;
  if (ask === null) {
    throw usageError(`this plan ${stops}, and there is nobody to ask`, 'say --yes if it is meant');
  }
  const answer = await ask(`This ${stops}. Go on? [y/N] `);
  if (/^y(es)?$/i.test(answer.trim())) return;
  throw new CommandError(exitCodes.interrupted, 'not confirmed; nothing was done');
}

function exitCodeFor(
  plan: Plan,
  report: Report,
  environment: Environment,
  limits: Limits,
): ExitCode {
  const { failed, skipped, cancelled } = tally(report);
  if (cancelled > 0) {
    return environment.stop.aborted || !limits.timedOut()
      ? exitCodes.interrupted
      : exitCodes.timeout;
  }
  if (failed + skipped + summarise(plan).blocked === 0) return exitCodes.ok;
  const codes = report.outcomes.flatMap(({ result }) =>
    result.status === 'failed' ? [result.failure.code] : [],
  );
  const allConflicts = codes.length > 0 && codes.every((code) => code === 'Conflict');
  return allConflicts ? exitCodes.conflict : exitCodes.partial;
}
