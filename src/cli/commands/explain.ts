/** `unnest explain`: what a code or a field means, and what to do about it. */
import { Command } from 'commander';
import { closest } from '../../documents/closest.ts';
import { secondaryName } from '../../model/names.ts';
import { usageError } from '../command-error.ts';
import type { Environment } from '../environment.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { explainSecondary } from '../explain/secondary.ts';
import { topicsFor, topicWords } from '../explain/topics.ts';
import { findSecondary } from '../one-secondary.ts';
import { type HostOptions, planOptionsOf, withDocuments, withHostOptions } from '../options.ts';
import { limitsOf, planFor } from '../pass.ts';
import { placeFor } from '../place.ts';
import { readDesiredState } from '../read-documents.ts';
import { renderTopicList, renderTopics } from '../render/explanations.ts';
import { paintFor } from '../render/paint.ts';
import { using } from '../using.ts';

interface Options extends HostOptions {
  readonly file?: readonly string[];
}

export function explainCommand(environment: Environment, exit: (code: ExitCode) => void): Command {
  return withHostOptions(withDocuments(new Command('explain')), environment)
    .description('say what a code or a field means, or why a Secondary is as it is')
    .argument('[word]', 'MissingField, spec.memory, or the name of a Secondary')
    .action(async (word: string | undefined, options: Options, command: Command) => {
      const { stdout, variables } = environment;
      const paint = paintFor(stdout, variables);
      if (word === undefined) stdout.write(renderTopicList(stdout.columns, paint));
      else if (topicsFor(word).length > 0 || secondaryName(word) === undefined) {
        stdout.write(renderTopics(findTopics(word), stdout.columns, paint));
      } else exit(await explainNameOrTypo(word, options, command, environment));
    });
}

/** A name that the host does not have may be a code or a field, mistyped. */
async function explainNameOrTypo(
  word: string,
  options: Options,
  command: Command,
  environment: Environment,
): Promise<ExitCode> {
  try {
    return await explainName(word, options, command, environment);
  } catch (error) {
    if (closest(word, topicWords()) !== null) findTopics(word);
    throw error;
  }
}

/** No code and no field looks like the name of a Secondary. */
async function explainName(
  name: string,
  options: Options,
  command: Command,
  environment: Environment,
): Promise<ExitCode> {
  const { stdout, variables } = environment;
  const limits = limitsOf(environment, options.timeout);
  const target = await placeFor(command, options, environment, limits);
  const { file } = options;
  const desired = file && (await readDesiredState(file, target, environment, limits));
  const text = await using(environment.openView, target, limits, async (host) => {
    const status = await findSecondary(name, host, target, environment, limits);
    const planOptions = planOptionsOf({ maxDeletions: Number.MAX_SAFE_INTEGER });
    const saved = desired && (await planFor(host, desired, planOptions, environment, limits));
    return explainSecondary(status, saved?.plan ?? null, paintFor(stdout, variables));
  });
  stdout.write(text);
  return exitCodes.ok;
}

function findTopics(word: string) {
  const topics = topicsFor(word);
  if (topics.length > 0) return topics;
  const meant = closest(word, topicWords());
  throw usageError(
    `"${word}" is neither a code nor a field`,
    meant === null ? '`unnest explain` alone lists what there is' : `did you mean ${meant}?`,
  );
}
