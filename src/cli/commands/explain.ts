/** `unnest explain`: what a code or a field means, and what to do about it. */
import { Command } from 'commander';
import { closest } from '../../documents/closest.ts';
import { usageError } from '../command-error.ts';
import type { Environment } from '../environment.ts';
import { topicsFor, topicWords } from '../explain/topics.ts';
import { renderTopicList, renderTopics } from '../render/explanations.ts';
import { paintFor } from '../render/paint.ts';

export function explainCommand(environment: Environment): Command {
  return new Command('explain')
    .description('say what an error code, an exit code or a field of a document means')
    .argument('[word]', 'a code such as MissingField, or a field such as spec.memory')
    .action((word: string | undefined) => {
      const { stdout, variables } = environment;
      const paint = paintFor(stdout, variables);
      stdout.write(
        word === undefined
          ? renderTopicList(stdout.columns, paint)
          : renderTopics(findTopics(word), stdout.columns, paint),
      );
    });
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
