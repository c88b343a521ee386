import type { Knob, Runs } from '../words';
import { categoryOf, difference, settingOf } from './settings';

/** What the table shows of a run, and sorts by. */
export type Column =
  'number' | 'state' | 'value' | 'gain' | 'difference' | 'direction' | 'agent' | 'purpose' | 'seed' | 'seconds';

/** In which order the rows stand. Those without the value come last either way. */
export interface Sort {
  column: Column;
  descending: boolean;
}

/** Both ends belong to it; null is no end. */
export interface Range {
  low: number | null;
  high: number | null;
}

/** Which settings of a parameter are shown: numbers in a range, or named categories. */
export interface Wanted {
  name: string;
  range: Range | null;
  categories: readonly string[] | null;
}

/** Which runs are shown; '' and null let all through. */
export interface Filter {
  direction: string;
  agent: string;
  /** "ok", "running", "none" for every run without a value, or one reason. */
  state: string;
  purpose: string;
  hypothesis: string;
  /** Words, each of which must stand in the row somewhere. */
  text: string;
  value: Range | null;
  parameter: Wanted | null;
}

export const EVERYTHING: Filter = {
  direction: '',
  agent: '',
  state: '',
  purpose: '',
  hypothesis: '',
  text: '',
  value: null,
  parameter: null
};

/** What rows are compared with. */
export interface Scale {
  /** The baseline's mean; null before it is measured. */
  baseline: number | null;
  maximize: boolean;
}

/** How much better than the baseline's mean, positive is better; null where either is missing. */
export function gain(value: number | null | undefined, { baseline, maximize }: Scale): number | null {
  return value === null || value === undefined || baseline === null
    ? null
    : maximize
      ? value - baseline
      : baseline - value;
}

/** Whether a number lies in a range. */
export function within(value: number | null | undefined, range: Range): boolean {
  return (
    typeof value === 'number' &&
    (range.low === null || value >= range.low) &&
    (range.high === null || value <= range.high)
  );
}

/** Whether a filter lets everything through. */
export function isEverything(filter: Filter): boolean {
  return Object.entries(EVERYTHING).every(([key, value]) => filter[key as keyof Filter] === value);
}

/** A filter from where a link leads: "direction:D3", "agent:A7", "hypothesis:H2", "state:timeout"; null for others. */
export function filterOf(argument: string): Filter | null {
  const [key, ...rest] = argument.split(':');
  const allowed = ['direction', 'agent', 'hypothesis', 'state', 'purpose', 'text'];
  return key !== undefined && allowed.includes(key) && rest.length ? { ...EVERYTHING, [key]: rest.join(':') } : null;
}

/** The rows in lower case for looking through, made once a row. */
export class Texts {
  private readonly texts: string[] = [];
  private source: readonly number[] | null = null;

  /** The text of a row: number, title, direction, agent, purpose, and what differs. */
  of(runs: Runs, row: number): string {
    if (this.source !== runs.number) {
      this.texts.length = 0;
      this.source = runs.number;
    }
    return (this.texts[row] ??= [
      runs.number[row],
      runs.title[row],
      runs.direction[row],
      runs.hypothesis[row],
      runs.agent[row],
      runs.purpose[row],
      difference(runs.edits[row])
    ]
      .join(' ')
      .toLowerCase());
  }
}

/** The rows that a filter lets through, in order; 10,000 of them in a few milliseconds. */
export function select(
  runs: Runs,
  texts: Texts,
  knobs: readonly Knob[],
  filter: Filter,
  sort: Sort,
  scale: Scale
): Uint32Array {
  const tests = testsOf(runs, texts, knobs, filter);
  const rows = new Uint32Array(runs.number.length);
  let count = 0;
  for (let row = 0; row < runs.number.length; row++) {
    if (tests.every(test => test(row))) {
      rows[count++] = row;
    }
  }
  return ordered(rows.subarray(0, count), keysOf(runs, sort.column, scale), sort.descending);
}

type Test = (row: number) => boolean;

function testsOf(runs: Runs, texts: Texts, knobs: readonly Knob[], filter: Filter): Test[] {
  const tests: Test[] = [];
  for (const column of ['direction', 'agent', 'purpose', 'hypothesis'] as const) {
    if (filter[column]) {
      tests.push(row => runs[column][row] === filter[column]);
    }
  }
  if (filter.state === 'none') {
    tests.push(row => runs.state[row] !== 'ok' && runs.state[row] !== 'running');
  } else if (filter.state) {
    tests.push(row => runs.state[row] === filter.state);
  }
  const { value, parameter } = filter;
  if (value) {
    tests.push(row => within(runs.value[row], value));
  }
  if (parameter) {
    tests.push(settingTest(runs, knobs, parameter));
  }
  const words = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length) {
    tests.push(row => words.every(word => texts.of(runs, row).includes(word)));
  }
  return tests;
}

function settingTest(runs: Runs, knobs: readonly Knob[], wanted: Wanted): Test {
  const knob = knobs.find(each => each.name === wanted.name);
  const { range, categories } = wanted;
  const named = categories && new Set(categories);
  return row => {
    const setting = settingOf(runs, row, wanted.name, knob);
    const inRange = !range || (typeof setting === 'number' && within(setting, range));
    return inRange && (!named || named.has(categoryOf(setting)));
  };
}

/** A number for each row to sort by; NaN where it has none. */
function keysOf(runs: Runs, column: Column, scale: Scale): Float64Array {
  switch (column) {
    case 'number':
    case 'seed':
    case 'seconds':
      return Float64Array.from(runs[column]);
    case 'value':
      return Float64Array.from(runs.value, value => value ?? NaN);
    case 'gain':
      return Float64Array.from(runs.value, value => gain(value, scale) ?? NaN);
    case 'difference':
      return ranks(runs.edits.map(difference), compare);
    default:
      return ranks(runs[column], collator.compare);
  }
}

/** D2 stands before D10. */
const collator = new Intl.Collator(undefined, { numeric: true });

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The place of each text among all of them; NaN for ''. Sorting the different ones alone is what makes it quick. */
function ranks(texts: readonly string[], order: (a: string, b: string) => number): Float64Array {
  const places = new Map([...new Set(texts)].sort(order).map((text, place) => [text, place]));
  return Float64Array.from(texts, text => (text === '' ? NaN : (places.get(text) ?? NaN)));
}

/** Rows by their keys; equal ones stay in the order of their numbers, those without a key come last. */
function ordered(rows: Uint32Array, keys: Float64Array, descending: boolean): Uint32Array {
  const known = rows.filter(row => !Number.isNaN(keys[row]));
  const sign = descending ? -1 : 1;
  known.sort((a, b) => sign * ((keys[a] ?? 0) - (keys[b] ?? 0)) || a - b);
  if (known.length === rows.length) {
    return known;
  }
  const result = new Uint32Array(rows.length);
  result.set(known);
  result.set(
    rows.filter(row => Number.isNaN(keys[row])),
    known.length
  );
  return result;
}
