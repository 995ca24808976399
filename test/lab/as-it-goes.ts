/**
 * A reporter of vitest's: what the one called `json` says at the end, after every test, so that a run which is
 * broken off leaves what it has found. Of each test that has ended, only what `.ci/run` reads.
 */
import { writeFileSync } from 'node:fs';
import type { Reporter, TestCase, Vitest } from 'vitest/node';

export default class AsItGoes implements Reporter {
  readonly #ended: TestCase[] = [];
  #file = '';

  onInit({ config: { outputFile } }: Vitest): void {
    const file = typeof outputFile === 'object' ? outputFile.json : outputFile;
    if (file === undefined) throw new Error('expected --outputFile.json=FILE');
    this.#file = file;
  }

  onTestCaseResult(test: TestCase): void {
    this.#ended.push(test);
    writeFileSync(this.#file, JSON.stringify(reportOf(this.#ended)));
  }
}

function reportOf(tests: readonly TestCase[]) {
  const numberOf = (state: string) => tests.filter((test) => test.result().state === state).length;
  const names = [...new Set(tests.map((test) => test.module.moduleId))];
  return {
    numPassedTests: numberOf('passed'),
    numFailedTests: numberOf('failed'),
    numPendingTests: numberOf('skipped'),
    numTodoTests: 0,
    testResults: names.map((name) => ({
      name,
      assertionResults: tests.filter((test) => test.module.moduleId === name).map(resultOf),
    })),
  };
}

function resultOf(test: TestCase) {
  const { state, errors = [] } = test.result();
  const failureMessages = errors.map(({ stack, message }) => stack ?? message);
  return { status: state, fullName: test.fullName, failureMessages };
}
