/** What is to be said of a partition's documents, as conditions. */
import type { Diagnostic } from '../documents/diagnostic.ts';
import type { Statement } from '../report/condition.ts';
import type { AcceptedBundle, RefusalCode } from '../report/submission.ts';

/** What became of the files that were looked at last. */
export type DocumentsSaid =
  | { readonly status: 'unsaid' }
  | { readonly status: 'ok' }
  | { readonly status: 'unread'; readonly code: string; readonly message: string }
  | {
      readonly status: 'refused';
      readonly code: RefusalCode;
      readonly message: string;
      readonly diagnostics: readonly Diagnostic[];
    };

export interface AuthorityFacts {
  readonly inForce: AcceptedBundle | null;
  readonly torn: readonly { readonly generation: number; readonly message: string }[];
  /** What keeps the one in force from being valid; empty: nothing does. */
  readonly problems: readonly Diagnostic[];
  readonly documents: DocumentsSaid;
  /** Who speaks for the Primary; null: nobody does. Undefined: nobody is to. */
  readonly agent: string | null | undefined;
}

export function authorityStatements(facts: AuthorityFacts): readonly Statement[] {
  const { documents, agent } = facts;
  const statements: Statement[] = [acceptedStatement(facts)];
  if (documents.status !== 'unsaid') statements.push(documentsStatement(documents));
  if (agent !== undefined) statements.push(agentStatement(agent));
  return statements;
}

/** What was accepted stays in force either way. */
function agentStatement(agent: string | null): Statement {
  const type = 'AgentConnected';
  if (agent !== null) return { type, status: 'True', reason: 'Connected', message: agent };
  const message = 'no `unnest agent` in the Primary is connected; what was accepted stays in force';
  return { type, status: 'False', reason: 'NoAgent', message };
}

function acceptedStatement({ inForce, torn, problems }: AuthorityFacts): Statement {
  const type = 'Accepted';
  const [first] = torn;
  if (first !== undefined) {
    const used = inForce === null ? 'none' : `generation ${inForce.generation}`;
    const message = `generation ${first.generation} could not be read back (${first.message}); ${used} is in force, and nothing is deleted until another is accepted`;
    return { type, status: 'False', reason: 'Torn', message };
  }
  if (inForce === null) {
    const message = 'no documents were accepted yet, so nothing is done';
    return { type, status: 'False', reason: 'NothingYet', message };
  }
  const [problem] = problems;
  if (problem !== undefined) {
    const { file, path, message: what } = problem;
    const message = `what was valid before stays in force: ${file}: ${path}: ${what}`;
    return { type, status: 'False', reason: 'NoLongerValid', message };
  }
  return { type, status: 'True', reason: 'InForce', message: '' };
}

function documentsStatement(said: Exclude<DocumentsSaid, { status: 'unsaid' }>): Statement {
  const type = 'DocumentsValid';
  switch (said.status) {
    case 'ok':
      return { type, status: 'True', reason: 'Valid', message: '' };
    case 'unread':
      return { type, status: 'Unknown', reason: said.code, message: said.message };
    case 'refused':
      return { type, status: 'False', reason: said.code, message: said.message };
  }
}
