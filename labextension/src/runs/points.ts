import type { Knob, Runs } from '../words';
import type { Parameter, Setting } from './settings';
import { categoryOf, settingOf } from './settings';
import type { Range, Wanted } from './filter';

/** A parameter against the metric: columns of one length, by rising `x`. */
export interface Points {
  x: Float64Array;
  y: Float64Array;
  /** The row of each point. */
  rows: Uint32Array;
  /** Of categories: the one at x = 0, 1, 2 …; null for numbers. */
  categories: string[] | null;
  /** How many runs with a value have no place on the axis. */
  left: number;
}

/** How far a point of a category may stand from its middle. */
const SPREAD = 0.32;

/** More categories than this are cut: the rarest ones are left out. */
export const MOST_CATEGORIES = 12;

/** All runs that have a value, over what they have for a parameter. */
export function pointsOf(runs: Runs, parameter: Parameter): Points {
  const rows: number[] = [];
  for (let row = 0; row < runs.number.length; row++) {
    if (typeof runs.value[row] === 'number') {
      rows.push(row);
    }
  }
  const settings = rows.map(row => settingOf(runs, row, parameter.name, parameter.knob));
  const categories = parameter.numeric ? null : categoriesOf(settings, parameter.knob);
  const places = settings.map((setting, index) =>
    categories ? jittered(categories, setting, rows[index] ?? 0) : numeric(setting, parameter.log)
  );
  const shown = places.map((_, index) => index).filter(index => !Number.isNaN(places[index]));
  shown.sort((a, b) => (places[a] ?? 0) - (places[b] ?? 0));
  return {
    x: Float64Array.from(shown, index => places[index] ?? NaN),
    y: Float64Array.from(shown, index => runs.value[rows[index] ?? 0] ?? NaN),
    rows: Uint32Array.from(shown, index => rows[index] ?? 0),
    categories,
    left: rows.length - shown.length
  };
}

function numeric(setting: Setting | undefined, log: boolean): number {
  return typeof setting === 'number' && (!log || setting > 0) ? setting : NaN;
}

/** The knob's own choices in their order, then what else was seen, the most frequent first. */
function categoriesOf(settings: readonly (Setting | undefined)[], knob: Knob | undefined): string[] {
  const counts = new Map<string, number>();
  for (const setting of settings) {
    const category = categoryOf(setting);
    counts.set(category, (counts.get(category) ?? 0) + 1);
  }
  const choices = (knob?.choices ?? []).map(categoryOf).filter(category => counts.has(category));
  const others = [...counts.keys()].filter(category => !choices.includes(category));
  others.sort((a, b) => (counts.get(b) ?? 0) - (counts.get(a) ?? 0));
  return [...choices, ...others].slice(0, MOST_CATEGORIES);
}

function jittered(categories: readonly string[], setting: Setting | undefined, row: number): number {
  const place = categories.indexOf(categoryOf(setting));
  return place < 0 ? NaN : place + SPREAD * (2 * scattered(row) - 1);
}

/** A number in [0, 1) that depends on the row alone, so that no point jumps when others come (golden ratio). */
function scattered(row: number): number {
  return ((row + 1) * 0.6180339887498949) % 1;
}

/** What a brush over the axis of a parameter asks for. */
export function wantedOf(parameter: Parameter, points: Points, low: number, high: number): Wanted {
  const { categories } = points;
  if (categories) {
    const inside = categories.filter((_, place) => place + 0.5 > low && place - 0.5 < high);
    return { name: parameter.name, range: null, categories: inside };
  }
  return { name: parameter.name, range: { low, high }, categories: null };
}

/** Where a wish stands on the axis, as a range; null where it is no range of this axis. */
export function spanOf(wanted: Wanted | null, points: Points): Range | null {
  if (!wanted) {
    return null;
  }
  const { categories } = points;
  if (!categories || !wanted.categories) {
    return wanted.range;
  }
  const places = wanted.categories.map(category => categories.indexOf(category)).filter(place => place >= 0);
  return places.length ? { low: Math.min(...places) - 0.5, high: Math.max(...places) + 0.5 } : null;
}

/** The point nearest to a place, by distances that the plot measures; -1 where none is near. */
export function nearest(points: Points, distance: (x: number, y: number) => number, reach: number): number {
  let best = -1;
  let least = reach;
  for (let index = 0; index < points.x.length; index++) {
    const away = distance(points.x[index] ?? NaN, points.y[index] ?? NaN);
    if (away <= least) {
      least = away;
      best = index;
    }
  }
  return best;
}

/** The values of the highlighted rows alone, null for the others, along the same axis. */
export function highlighted(points: Points, rows: ReadonlySet<number>): (number | null)[] {
  return Array.from(points.y, (value, index) => (rows.has(points.rows[index] ?? -1) ? value : null));
}
