import type * as W from './words';

/** An answer of the server that is an error, or none at all: `status` is 0 where nothing came back. */
export class ApiProblem extends Error {
  constructor(
    readonly status: number,
    readonly problem: W.Problem,
    /** Seconds after which the server wants to be asked again; 0 where it said nothing. */
    readonly retryAfter = 0
  ) {
    super(problem.message);
    this.name = 'ApiProblem';
  }

  /** Whether it was ended by who asked. */
  get cancelled(): boolean {
    return this.problem.reason === 'Cancelled';
  }

  /** Whether the way to the server failed, not the server: no answer, none in time, or a proxy's word. */
  get unreachable(): boolean {
    return this.status === 0 || this.status === 408 || this.status === 502 || this.status === 504;
  }

  /** Whether the same request may well succeed in a while. */
  get passing(): boolean {
    return !this.cancelled && (this.unreachable || [423, 429, 500, 503].includes(this.status));
  }
}

/** Whatever was thrown, as a problem. */
export function problemOf(error: unknown): ApiProblem {
  if (error instanceof ApiProblem) {
    return error;
  }
  const message = error instanceof Error ? error.message : String(error);
  return new ApiProblem(500, { message, where: '', cure: '', reason: 'Unknown' });
}
