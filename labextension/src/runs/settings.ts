import type { Knob, Runs } from '../words';

/** What an edit sets: a literal, `module:qualname`, or null for what is left out. */
export type Setting = boolean | number | string | null;

/** How a setting that no run changed is called among categories: whatever stands in the cell. */
export const UNCHANGED = '';

/**
 * A value as people read it: callables by their own name, numbers short.
 *
 *     short('sklearn.svm:SVC')  // 'SVC'
 *     short(0.1 + 0.2)          // '0.3'
 */
export function short(value: Setting): string {
  if (value === null) {
    return '∅';
  }
  if (typeof value === 'number') {
    return String(Number(value.toPrecision(4)));
  }
  const text = String(value);
  const callable = /^[\w.]+:([\w.]+)$/.exec(text);
  return callable?.[1] ?? text;
}

/**
 * What differs from the cell, in one line; '' where nothing does.
 *
 *     difference({ C: 0.5, 'make_pipeline[0]': null })  // 'C = 0.5, − make_pipeline[0]'
 */
export function difference(edits: Readonly<Record<string, Setting>> | undefined): string {
  return Object.entries(edits ?? {})
    .map(([target, value]) => (value === null ? `− ${target}` : `${target} = ${short(value)}`))
    .join(', ');
}

/** What a run has for a parameter: its edit, else what stands in the cell; undefined where the panel does not know. */
export function settingOf(runs: Runs, row: number, name: string, knob: Knob | undefined): Setting | undefined {
  const edited = runs.edits[row]?.[name];
  return edited === undefined ? knob?.value : edited;
}

/** A setting as the key of a category; `UNCHANGED` for what the panel does not know. */
export function categoryOf(setting: Setting | undefined): string {
  return setting === undefined ? UNCHANGED : setting === null ? '∅' : String(setting);
}

/** A parameter that runs differ in, and how it may be drawn. */
export interface Parameter {
  name: string;
  /** How many runs changed it. */
  changed: number;
  numeric: boolean;
  /** Whether its axis is logarithmic; all its values are positive then. */
  log: boolean;
  knob: Knob | undefined;
}

/** What is known of each parameter, read row by row: append what is new, ask any time. */
export class Parameters {
  private readonly seen = new Map<string, { changed: number; numbers: number; least: number }>();
  private read = 0;
  private source: readonly number[] | null = null;

  /** Read the rows that were not read yet. Edits stand there from the run's beginning. */
  update(runs: Runs): void {
    if (this.source !== runs.number || runs.number.length < this.read) {
      this.seen.clear();
      this.read = 0;
      this.source = runs.number;
    }
    for (; this.read < runs.number.length; this.read++) {
      for (const [name, value] of Object.entries(runs.edits[this.read] ?? {})) {
        this.note(name, value);
      }
    }
  }

  /** Those that runs differ in, the most varied first. */
  list(knobs: readonly Knob[]): Parameter[] {
    const known = new Map(knobs.map(knob => [knob.name, knob]));
    const result = [...this.seen].map(([name, seen]): Parameter => {
      const knob = known.get(name);
      const own = knob?.value;
      const numeric = seen.numbers > 0 && (knob === undefined || typeof own === 'number');
      const positive = seen.least > 0 && (typeof own !== 'number' || own > 0);
      return { name, changed: seen.changed, numeric, log: numeric && positive && knob?.log === true, knob };
    });
    return result.sort((a, b) => b.changed - a.changed || (a.name < b.name ? -1 : 1));
  }

  private note(name: string, value: Setting): void {
    const seen = this.seen.get(name) ?? { changed: 0, numbers: 0, least: Infinity };
    seen.changed++;
    if (typeof value === 'number') {
      seen.numbers++;
      seen.least = Math.min(seen.least, value);
    }
    this.seen.set(name, seen);
  }
}
