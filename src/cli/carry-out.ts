/**
 * From a plan to its report, for every command that changes something: show it, ask where a guest
 * would be stopped, run exactly that plan, say what became of it.
 */
import { execute } from '../execute/execute.ts';
import type { Report } from '../execute/outcome.ts';
import type { Host } from '../host/ports.ts';
import type { SeedContent, SeedName } from '../model/seed.ts';
import type { Plan } from '../plan/plan.ts';
import { summarise } from '../plan/summary.ts';
import { askFirst } from './ask-first.ts';
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
  /** What the seeds hold that the plan makes. */
  readonly seedContents: ReadonlyMap<SeedName, SeedContent>;
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
  if (!options.yes) await consent(plan, options.output, environment);
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
  { output, seedContents }: CarryOutOptions,
  environment: Environment,
  limits: Limits,
): Promise<Report> {
  const { stdout, stderr, variables, now, abort } = environment;
  // Progress of `-o json` goes where it does not mix with the document.
  const to = output === 'json' ? stderr : stdout;
  const progress = new Progress(to, paintFor(to, variables), now);
  const onStop = () => progress.aside(stderr, stopNote);
  environment.stop.addEventListener('abort', onStop, { once: true });
  try {
    return await execute(plan, host, {
      seedContents,
      inFlightMax,
      stop: limits.stop,
      abort,
      now,
      onStart: (operation) => progress.started(operation),
      onOutcome: (outcome) => progress.finished(outcome),
    });
  } finally {
    environment.stop.removeEventListener('abort', onStop);
    progress.end();
  }
}

const stopNote = 'finishing what is under way; Ctrl-C again breaks it off';

/** Whoever removes a document or allows restarts in it is still asked before a guest goes down. */
export async function consent(
  plan: Plan,
  output: CarryOutOptions['output'],
  environment: Environment,
): Promise<void> {
  const summary = summarise(plan);
  // A seed can be made anew from its document, and no guest has one that goes.
  const seeds = plan.entries.filter(
    ({ kind, resource }) => kind === 'delete' && resource.kind === 'seed',
  );
  const stops = (
    [
      [summary.delete - seeds.length, 'deletes'],
      [summary.destroysData, 'destroys the data of'],
      [summary.restart, 'restarts'],
      [summary.stop, 'shuts down'],
    ] as const
  )
    .filter(([count]) => count > 0)
    .map(([count, verb]) => `${verb} ${count}`)
    .join(', ');
  if (stops === '') return;
  const { ask, stderr, variables } = environment;
  // Nobody agrees to what they have not seen.
  if (ask !== null && output === 'json')
    stderr.write(renderPlan(plan, paintFor(stderr, variables)));
  await askFirst(stops, environment, 'this plan');
}

function exitCodeFor(
  plan: Plan,
  report: Report,
  environment: Environment,
  limits: Limits,
): ExitCode {
  const { failed, skipped, cancelled } = tally(report);
  const codes = report.outcomes.flatMap(({ result }) =>
    result.status === 'failed' ? [result.failure.code] : [],
  );
  // A second Ctrl-C breaks off what is under way, which then has failed.
  if (cancelled > 0 || codes.includes('Cancelled')) {
    return environment.stop.aborted || !limits.timedOut()
      ? exitCodes.interrupted
      : exitCodes.timeout;
  }
  if (failed + skipped + summarise(plan).blocked === 0) return exitCodes.ok;
  const allConflicts = codes.length > 0 && codes.every((code) => code === 'Conflict');
  return allConflicts ? exitCodes.conflict : exitCodes.partial;
}
