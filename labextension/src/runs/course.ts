import type { Runs } from '../words';

/** How many of the last values the running median looks back over. */
export const WINDOW = 25;

/** What screening is: the leader is who leads there, as in the notebook's view and the report. */
const SCREENING = new Set(['baseline', 'screening']);

/** What the plot may be drawn over. */
export type Axis = 'clock' | 'experiments';

/**
 * How the score went, as columns of one length, in the order in which the runs came back. Screening alone: values on
 * seeds that nobody chose by them are evidence, and stand in the findings.
 *
 *     const course = new Course();
 *     course.update(model.runs, card.maximize);   // only what is new is read
 */
export class Course {
  /** Seconds of the swarm's own clock. */
  readonly clock: number[] = [];
  /** How many runs had come back by then, with or without a value. */
  readonly experiments: number[] = [];
  /** The mean over screening seeds of whichever variation led. */
  readonly leader: number[] = [];
  /** The median of the last 25 values. */
  readonly median: number[] = [];

  private readonly values: number[] = [];
  private readonly sorted: number[] = [];
  private readonly sums = new Map<string, { total: number; count: number }>();
  private readonly waiting = new Set<number>();
  private first = '';
  private returned = 0;
  private read = 0;
  private source: readonly number[] | null = null;
  private maximize = true;

  get length(): number {
    return this.clock.length;
  }

  /** Read what came back since the last time; whether anything did. Other columns than before begin anew. */
  update(runs: Runs, maximize: boolean): boolean {
    const begin = this.source !== runs.number || runs.number.length < this.read || this.maximize !== maximize;
    if (begin) {
      this.forget();
    }
    this.source = runs.number;
    this.maximize = maximize;
    const back = this.cameBack(runs);
    const last = this.clock.at(-1) ?? -Infinity;
    if (back.some(row => (runs.clock[row] ?? 0) < last)) {
      this.forget();
      return this.take(runs, this.cameBack(runs)) || begin;
    }
    return this.take(runs, back) || begin;
  }

  private forget(): void {
    for (const column of [this.clock, this.experiments, this.leader, this.median, this.values, this.sorted]) {
      column.length = 0;
    }
    this.sums.clear();
    this.waiting.clear();
    this.first = '';
    this.returned = this.read = 0;
  }

  /** The rows that are not running any more and were not read yet, in the order in which they came back. */
  private cameBack(runs: Runs): number[] {
    for (; this.read < runs.number.length; this.read++) {
      this.waiting.add(this.read);
    }
    const rows = [...this.waiting].filter(row => runs.state[row] !== 'running');
    rows.forEach(row => this.waiting.delete(row));
    return rows.sort((a, b) => (runs.clock[a] ?? 0) - (runs.clock[b] ?? 0) || a - b);
  }

  private take(runs: Runs, rows: number[]): boolean {
    const before = this.length;
    for (const row of rows) {
      this.returned++;
      const value = runs.value[row];
      if (value === null || value === undefined || !SCREENING.has(runs.purpose[row] ?? '')) {
        continue;
      }
      this.clock.push(runs.clock[row] ?? 0);
      this.experiments.push(this.returned);
      this.leader.push(this.lead(runs.hypothesis[row] ?? '', value));
      this.median.push(this.middle(value));
    }
    return this.length > before;
  }

  /** The leader's mean after another value. Only where the leader itself ran again may it have fallen behind others. */
  private lead(key: string, value: number): number {
    const sum = this.sums.get(key) ?? { total: 0, count: 0 };
    sum.total += value;
    sum.count++;
    this.sums.set(key, sum);
    const known = this.sums.has(this.first);
    const rivals = !known ? [key] : key === this.first ? this.sums.keys() : [key];
    let best = known ? this.first : key;
    for (const rival of rivals) {
      const gain = this.mean(rival) - this.mean(best);
      if (this.maximize ? gain > 0 : gain < 0) {
        best = rival;
      }
    }
    this.first = best;
    return this.mean(best);
  }

  private mean(key: string): number {
    const sum = this.sums.get(key);
    return sum ? sum.total / sum.count : NaN;
  }

  /** The median of the last values, this one among them; they are kept sorted. */
  private middle(value: number): number {
    const gone = this.values.length >= WINDOW ? this.values[this.values.length - WINDOW] : undefined;
    if (gone !== undefined) {
      this.sorted.splice(placeIn(this.sorted, gone), 1);
    }
    this.values.push(value);
    this.sorted.splice(placeIn(this.sorted, value), 0, value);
    const half = this.sorted.length >> 1;
    const upper = this.sorted[half] ?? NaN;
    return this.sorted.length % 2 ? upper : ((this.sorted[half - 1] ?? NaN) + upper) / 2;
  }
}

/** The first place in sorted numbers that does not stand before the value. */
export function placeIn(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? Infinity) < value) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

/** At most so many rows of a course for a table: evenly spread, the first and the last among them. */
export function thinned(length: number, most: number): number[] {
  if (length <= most) {
    return Array.from({ length }, (_, index) => index);
  }
  return Array.from({ length: most }, (_, index) => Math.round((index * (length - 1)) / (most - 1)));
}
