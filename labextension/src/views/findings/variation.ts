import type * as W from '../../words';

/** Runs of a hypothesis that have a value: those of its variation surely, and those of either side of a pair. */
export interface Sides {
  sure: number[];
  either: number[];
}

/**
 * Where to find a run of a hypothesis's variation, the newest first.
 *
 * Screening runs of a hypothesis are of its variation (references of a race carry none); confirmation runs come in
 * pairs of variation and reference, to be told apart by their code.
 */
export function sidesOf(runs: W.Runs, hypothesis: string): Sides {
  const sides: Sides = { sure: [], either: [] };
  for (let row = runs.number.length - 1; row >= 0; row -= 1) {
    const number = runs.number[row];
    if (runs.hypothesis[row] === hypothesis && runs.state[row] === 'ok' && number !== undefined) {
      (runs.purpose[row] === 'screening' ? sides.sure : sides.either).push(number);
    }
  }
  return sides;
}

/**
 * The number of a run of the variation; null where none has a value.
 *
 * @param code - asks for the hypothesis's code, if it has to be compared
 * @param codeOf - asks for a run's code
 */
export async function variationRun(
  runs: W.Runs,
  hypothesis: string,
  code: () => Promise<string>,
  codeOf: (number: number) => Promise<string>
): Promise<number | null> {
  const { sure, either } = sidesOf(runs, hypothesis);
  if (sure[0] !== undefined) {
    return sure[0];
  }
  if (!either.length) {
    return null;
  }
  const wanted = (await code()).trim();
  for (const number of either.slice(0, 4)) {
    if ((await codeOf(number)).trim() === wanted) {
      return number;
    }
  }
  return null;
}
