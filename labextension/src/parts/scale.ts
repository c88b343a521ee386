/** The ends of an axis, the lower first. */
export type Scale = readonly [number, number];

/** An estimate with its interval; an end that is null is not bounded. */
export interface Estimate {
  effect: number | null;
  low: number | null;
  high: number | null;
}

/** Probabilities. */
export const UNIT: Scale = [0, 1];

/**
 * One axis for all of them, 0 on it, with a little room at both ends.
 *
 * Where there is nothing to show, it is from -1 to 1.
 */
export function scaleOf(estimates: readonly Estimate[]): Scale {
  const ends = estimates.flatMap(each => [each.effect, each.low, each.high]);
  const known = ends.filter((each): each is number => each !== null && Number.isFinite(each));
  const low = known.reduce((least, each) => Math.min(least, each), 0);
  const high = known.reduce((most, each) => Math.max(most, each), 0);
  if (low === high) {
    return [-1, 1];
  }
  const room = 0.05 * (high - low);
  return [low - room, high + room];
}

/** Where a value stands on the scale, from 0 to 1; beyond its ends, at the end. */
export function along(value: number, [low, high]: Scale): number {
  return high > low ? Math.min(1, Math.max(0, (value - low) / (high - low))) : 0.5;
}
