import { type ISignal, Signal } from '@lumino/signaling';

import { type ApiProblem, problemOf } from './problem';
import type * as W from './words';

/** How news comes from the server; `since` by the clock that the stream was given. */
export interface Connection {
  /** `gone`: there is no such swarm; `nowhere`: there is no such folder. */
  state: 'connecting' | 'live' | 'polling' | 'offline' | 'gone' | 'nowhere' | 'refused';
  since: number;
  problem?: W.Problem;
}

/** Seconds. */
export const TIMES = {
  /** The server holds an answer back for so long at most. */
  wait: 25,
  /** Between two answers at the least, so that a busy swarm does not keep the browser busy. */
  pause: 0.1,
  /** Between two questions where long polls are cut. */
  polling: 2,
  /** … for something in the background. */
  slow: 10,
  /** After a nudge an open long poll has so long to answer, before it is asked anew. */
  nudged: 1,
  /** A long poll that ended so soon was not cut by a proxy's limit: the server is away. */
  cut: 2,
  /** Before long polls are tried again. */
  again: 300,
  /** Backoff, first and longest. */
  first: 1,
  longest: 30
};

/** How a stream asks: `wait` seconds at most; it keeps what comes (and the cursor) itself. */
export type Question = (wait: number, signal: AbortSignal) => Promise<void>;

/**
 * Asks the server for news, again and again, while the page is visible: by long polls, by short ones where a proxy cuts
 * the long ones, and with growing pauses where the server is away. Recovers by itself from whatever happens.
 */
export class Stream {
  connection: Connection;
  /** Whether to ask every `TIMES.slow` seconds only, so as to leave the browser's few connections to others. */
  slow = false;
  private readonly signal = new Signal<this, Connection>(this);
  private generation = 0;
  private running = false;
  private cuts = 0;
  private pollingUntil = 0;
  private failures = 0;
  private fresh = true;
  private request: AbortController | null = null;
  private rouse: (() => void) | null = null;
  private nudge: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly question: Question,
    private readonly now: () => number = () => Date.now() / 1000
  ) {
    this.connection = { state: 'connecting', since: this.now() };
  }

  get changed(): ISignal<this, Connection> {
    return this.signal;
  }

  /** Begin to ask, or go on; at once. */
  start(): void {
    if (this.running) {
      return;
    }
    this.running = true;
    this.fresh = true;
    this.generation += 1;
    document.addEventListener('visibilitychange', this.seen);
    void this.loop(this.generation);
  }

  /** Ask no more until `start`. */
  stop(): void {
    this.running = false;
    this.generation += 1;
    clearTimeout(this.nudge);
    document.removeEventListener('visibilitychange', this.seen);
    this.request?.abort();
    this.rouse?.();
  }

  /** There may be news: end a rest. An open long poll tells by itself. */
  hint(): void {
    if (this.rouse) {
      this.fresh = true;
      this.rouse();
    }
  }

  /** There is news, or the person wants to know: ask at once, even where an open long poll stays dumb. */
  wake(): void {
    if (this.rouse) {
      this.hint();
    } else if (this.request) {
      clearTimeout(this.nudge);
      this.nudge = setTimeout(() => {
        this.fresh = true;
        this.request?.abort();
      }, TIMES.nudged * 1000);
    }
  }

  private readonly seen = (): void => {
    this.fresh = true;
    if (document.hidden) {
      this.request?.abort();
    } else {
      this.rouse?.();
    }
  };

  private async loop(generation: number): Promise<void> {
    while (generation === this.generation) {
      const rest = document.hidden ? Infinity : await this.once(generation);
      if (generation === this.generation) {
        await this.sleep(rest);
      }
    }
  }

  /** Ask once; the seconds to rest. */
  private async once(generation: number): Promise<number> {
    const began = performance.now();
    const long = !this.fresh && !this.slow && this.now() >= this.pollingUntil;
    this.fresh = false;
    const request = (this.request = new AbortController());
    try {
      await this.question(long ? TIMES.wait : 0, request.signal);
      return generation === this.generation ? this.succeeded(long) : 0;
    } catch (error) {
      const problem = problemOf(error);
      if (generation !== this.generation || problem.cancelled) {
        return TIMES.pause;
      }
      return this.failed(problem, long && performance.now() - began >= TIMES.cut * 1000);
    } finally {
      if (this.request === request) {
        clearTimeout(this.nudge);
        this.request = null;
      }
    }
  }

  private succeeded(long: boolean): number {
    this.failures = 0;
    this.cuts = long ? 0 : this.cuts;
    const polling = this.now() < this.pollingUntil;
    this.become(polling ? 'polling' : 'live');
    return this.slow ? TIMES.slow : polling ? TIMES.polling : TIMES.pause;
  }

  private failed(problem: ApiProblem, cut: boolean): number {
    this.fresh = true;
    if (cut && problem.unreachable) {
      this.cuts += 1;
      if (this.cuts < 2) {
        return TIMES.pause;
      }
      this.cuts = 0;
      this.pollingUntil = this.now() + TIMES.again;
      return TIMES.pause;
    }
    this.failures += 1;
    this.become(stateOf(problem), problem.problem);
    const backoff = Math.min(TIMES.longest, TIMES.first * 2 ** (this.failures - 1));
    return Math.max(problem.retryAfter, backoff * (0.75 + 0.5 * Math.random()));
  }

  private become(state: Connection['state'], problem?: W.Problem): void {
    const since = state === this.connection.state ? this.connection.since : this.now();
    const same = state === this.connection.state && problem?.message === this.connection.problem?.message;
    if (!same) {
      this.connection = problem ? { state, since, problem } : { state, since };
      this.signal.emit(this.connection);
    }
  }

  /** Rest for so many seconds, or until something wakes it. */
  private sleep(seconds: number): Promise<void> {
    return new Promise(resolve => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const end = (): void => {
        clearTimeout(timer);
        this.rouse = this.rouse === end ? null : this.rouse;
        resolve();
      };
      this.rouse = end;
      if (seconds !== Infinity) {
        timer = setTimeout(end, seconds * 1000);
      }
    });
  }
}

function stateOf(problem: ApiProblem): Connection['state'] {
  if (problem.status === 404 && problem.problem.reason === 'NoSwarm') {
    return 'gone';
  }
  if ([400, 404].includes(problem.status) && problem.problem.reason === 'UsageError') {
    return 'nowhere';
  }
  return problem.status === 401 || problem.status === 403 ? 'refused' : 'offline';
}
