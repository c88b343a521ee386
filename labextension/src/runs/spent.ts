import type { Agent } from '../words';

/** What a language model has taken, and what its agents found. */
export interface MindSpend {
  mind: string;
  calls: number;
  tokens: number;
  supported: number;
}

/** The models that were asked, the one that took most first. */
export function spentBy(agents: readonly Agent[]): MindSpend[] {
  const minds = new Map<string, MindSpend>();
  for (const { mind, calls, tokens, supported } of agents) {
    const sum = minds.get(mind) ?? { mind, calls: 0, tokens: 0, supported: 0 };
    minds.set(mind, {
      mind,
      calls: sum.calls + calls,
      tokens: sum.tokens + tokens,
      supported: sum.supported + supported
    });
  }
  return [...minds.values()].filter(each => each.calls > 0).sort((a, b) => b.tokens - a.tokens);
}
