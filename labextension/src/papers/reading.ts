import { useCallback, useSyncExternalStore } from 'react';

import type { Span } from './text';

/** Where a reader that is open shall go next; `turn` rises, so that the same passage can be asked for again. */
export interface Goal {
  span: Span | null;
  turn: number;
}

const goals = new Map<string, Goal>();
const listeners = new Set<() => void>();

/** Send the reader of this key to a passage, whether it is open already or about to be. */
export function aim(key: string, span: Span | null): void {
  goals.set(key, { span, turn: (goals.get(key)?.turn ?? 0) + 1 });
  listeners.forEach(listener => {
    listener();
  });
}

const START: Goal = { span: null, turn: 0 };

/** Where the reader of this key shall go. */
export function useGoal(key: string): Goal {
  const subscribe = useCallback((listener: () => void) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, []);
  return useSyncExternalStore(subscribe, () => goals.get(key) ?? START);
}
