/** `unnest describe`: all there is to know about one Secondary, for a person. */
import { Command } from 'commander';
import type { DaemonClient } from '../../channel/client.ts';
import { DaemonError } from '../../channel/daemon-error.ts';
import { fieldRules } from '../../diff/fields.ts';
import type { DomainFields, FieldName } from '../../model/domain.ts';
import { explainError } from '../../host/host-error.ts';
import type { Condition } from '../../report/condition.ts';
import { daemonFor, type SocketOptions, socketOption } from '../daemon.ts';
import type { Environment, Target } from '../environment.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { clientInPrimary } from '../in-primary.ts';
import { formatSize } from '../../model/sizes.ts';
import { findSecondary, noSuchSecondary } from '../one-secondary.ts';
import { type HostOptions, targetOf, withHostOptions } from '../options.ts';
import { type Limits, limitsOf } from '../pass.ts';
import { targetFor } from '../place.ts';
import { formatValue } from '../render/field-value.ts';
import { type Paint, paintFor, printable } from '../render/paint.ts';
import { conditionLines } from '../render/partition-status.ts';
import type { SecondaryStatus } from '../status.ts';
import { using } from '../using.ts';

type Options = HostOptions & SocketOptions;

export function describeCommand(environment: Environment, exit: (code: ExitCode) => void): Command {
  return withHostOptions(new Command('describe'), environment)
    .description('show all there is to know about one Secondary')
    .argument('<name>', 'which one')
    .addOption(socketOption(environment))
    .action(async (name: string, options: Options, command: Command) => {
      const limits = limitsOf(environment, options.timeout);
      const client = await clientInPrimary(command, environment, limits);
      if (client !== null)
        return exit(await describeThere(client, name, options, environment, limits));
      const target = await targetFor(command, options, environment, limits);
      const status = await using(environment.openView, target, limits, (host) =>
        findSecondary(name, host, target, environment, limits),
      );
      const { stdout, variables } = environment;
      const paint = paintFor(stdout, variables);
      stdout.write(render(status, paint));
      const conditions = await conditionsOf(status, target, options, command, environment, limits);
      if (conditions.length > 0) {
        const lines = ['  conditions, as unnestd says:', ...indented(conditions, paint)];
        stdout.write(`${lines.join('\n')}\n`);
      }
      exit(status.status === 'Unknown' ? exitCodes.partial : exitCodes.ok);
    });
}

/** In a Primary, where the host cannot be looked at: as unnestd says. */
async function describeThere(
  client: DaemonClient,
  name: string,
  options: Options,
  { stdout, variables }: Environment,
  { stop }: Limits,
): Promise<ExitCode> {
  const { partition } = targetOf(options);
  const { secondaries } = await client.status(partition, stop);
  const report = secondaries.find((each) => each.name === name);
  if (report === undefined) {
    const names = secondaries.map((each) => each.name);
    throw noSuchSecondary(partition, name, names);
  }
  const paint = paintFor(stdout, variables);
  const lines = [
    `${paint.bold(report.name)}: ${report.status}`,
    `  domain   ${report.domain ?? '-'}  ${report.uuid ?? '-'}`,
    ...(report.address === null ? [] : [`  address  ${report.address}`]),
    `  has      ${report.vcpus ?? '?'} vCPU, ${report.memoryBytes === null ? '?' : formatSize(report.memoryBytes)}`,
    '  conditions, as unnestd says:',
    ...indented(report.conditions, paint),
  ];
  stdout.write(`${lines.join('\n')}\n`);
  return report.status === 'Unknown' ? exitCodes.partial : exitCodes.ok;
}

const indented = (conditions: readonly Condition[], paint: Paint) =>
  conditionLines(conditions, paint).map((line) => `  ${line}`);

/** None where there is no daemon; what is on the host is so, whatever has become of the daemon. */
async function conditionsOf(
  { name }: SecondaryStatus,
  { partition }: Target,
  options: Options,
  command: Command,
  environment: Environment,
  { stop }: Limits,
): Promise<readonly Condition[]> {
  try {
    const client = await daemonFor(command, options, environment);
    const status = await client?.status(partition, stop);
    return status?.secondaries.find((each) => each.name === name)?.conditions ?? [];
  } catch (error) {
    if (!(error instanceof DaemonError)) throw error;
    environment.stderr.write(`unnestd says nothing about it: ${printable(explainError(error))}\n`);
    return [];
  }
}

function render(status: SecondaryStatus, paint: Paint): string {
  const { name, domain, why } = status;
  const lines = [
    `${paint.bold(name)}: ${status.status}${why === null ? '' : ` (${printable(why)})`}`,
  ];
  if (domain !== null) {
    const stopped = domain.power.status === 'stopped' ? `, ${domain.power.reason}` : '';
    lines.push(
      `  domain   ${domain.domainName}  ${domain.uuid}`,
      `  power    ${domain.power.status}${stopped}${domain.stopAsked ? ', the stop was asked for' : ''}`,
      ...(domain.agent === 'none' ? [] : [`  agent    ${domain.agent}`]),
      ...(status.address === null ? [] : [`  address  ${status.address}`]),
      ...(domain.persistent ? [] : ['  undefined by somebody: it vanishes when it stops']),
      '  definition, used at the next start:',
      ...fieldLines(domain.defined),
      ...runningLines(status, paint),
    );
  }
  return `${lines.join('\n')}\n`;
}

function fieldLines(fields: DomainFields): string[] {
  const names = Object.keys(fieldRules) as FieldName[];
  const shown = names.filter((field) => !field.endsWith('Max') && !field.endsWith('MaxBytes'));
  return shown
    .filter((field) => fields[field] !== null)
    .map(
      (field) => `    ${fieldRules[field].path.padEnd(38)} ${formatValue(field, fields[field])}`,
    );
}

function runningLines({ domain, waiting }: SecondaryStatus, paint: Paint): string[] {
  if (domain === null || domain.live === null) return [];
  const { live } = domain;
  const memory = `${formatValue('memoryBytes', live.memoryBytes)} of at most ${formatValue('memoryMaxBytes', live.memoryMaxBytes)}`;
  return [
    `  runs with ${live.vcpus} vCPU, ${memory}`,
    ...waiting.map(({ field, path, from, to }) => {
      const change = `${formatValue(field, from)} -> ${formatValue(field, to)}`;
      return `  ${paint.yellow('waits for a restart')}: ${path} ${change}`;
    }),
  ];
}
