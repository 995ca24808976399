/** What `unnest explain` says about one code. */
export interface Explanation {
  /** What has happened, in a sentence or two. */
  readonly means: string;
  /** What to do about it. */
  readonly todo: string;
}

/** One for each code there is, so that the compiler finds a code without one. */
export type Explanations<Code extends string> = { readonly [C in Code]: Explanation };
