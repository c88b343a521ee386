import type * as W from '../words';

/** What has been taken of a budget, as far as it can be limited. */
export type Spend = Pick<W.Spend, 'seconds' | 'experiments' | 'tokens' | 'dollars'>;

/** How much of a budget is gone, and which part of it is the nearest to its end. */
export function spent(budget: W.Budget, spend: Spend): { value: number; max: number } {
  const shares = [
    { value: spend.seconds, max: budget.seconds ?? 0 },
    { value: spend.experiments, max: budget.experiments ?? 0 },
    { value: spend.tokens, max: budget.tokens ?? 0 },
    { value: spend.dollars ?? 0, max: budget.dollars ?? 0 }
  ].filter(each => each.max > 0);
  return shares.sort((a, b) => b.value / b.max - a.value / a.max)[0] ?? { value: 0, max: 0 };
}
