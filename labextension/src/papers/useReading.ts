import { useState } from 'react';

import type { Host } from '../host';
import { useLoad } from '../parts';
import { problemOf } from '../problem';
import type * as W from '../words';
import { useGoal } from './reading';
import { beginning, joined, type Reading, type Span, touches } from './text';

/** A paper that is being read. */
export interface Open {
  /** The last window that was asked for by a goal, with the parts and uses of the paper; null before the first. */
  text: W.Text | null;
  reading: Reading | null;
  goal: Span | null;
  busy: boolean;
  problem: W.Problem | null;
  again: () => void;
  /** Load what comes before or after what is loaded. */
  more: (where: 'before' | 'after') => void;
}

/** Characters that are asked for at once before what is loaded. */
const WINDOW = 20_000;

/** Read a paper window by window, from where its goal is. `key` names the reader's tab. */
export function useReading(host: Host, folder: string, paper: string, key: string): Open {
  const goal = useGoal(key);
  const first = useLoad(`${key}#${goal.turn}`, () => host.api.text(folder, paper, beginning(goal.span)));
  const [text, setText] = useState<W.Text | null>(null);
  const [reading, setReading] = useState<Reading | null>(null);
  const [under, setUnder] = useState<{ busy: boolean; problem: W.Problem | null; retry: () => void }>(REST);
  if (first.value && first.value !== text) {
    setText(first.value);
    setReading(joined(null, first.value));
    setUnder(REST);
  }
  const more = (where: 'before' | 'after'): void => {
    if (!reading || under.busy) {
      return;
    }
    const { start, end } = reading;
    setUnder({ ...REST, busy: true });
    const window =
      where === 'after'
        ? host.api.text(folder, paper, end)
        : host.api.text(folder, paper, Math.max(0, start - WINDOW), start);
    window.then(
      found => {
        setReading(now => (now && touches(now, found) ? joined(now, found) : now));
        setUnder(REST);
      },
      (error: unknown) => {
        setUnder({
          busy: false,
          problem: problemOf(error).problem,
          retry: () => {
            more(where);
          }
        });
      }
    );
  };
  return {
    text,
    reading,
    goal: goal.span,
    busy: first.busy || under.busy,
    problem: first.problem ?? under.problem,
    again: under.problem && !first.problem ? under.retry : first.again,
    more
  };
}

const REST = { busy: false, problem: null, retry: () => undefined };
