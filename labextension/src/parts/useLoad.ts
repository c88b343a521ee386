import { useCallback, useEffect, useState } from 'react';

import { problemOf } from '../problem';
import type * as W from '../words';

/** Something asked of the server: on its way, here, or failed. What was here stays until its successor comes. */
export interface Loaded<T> {
  value: T | null;
  problem: W.Problem | null;
  /** Whether it is on its way. */
  busy: boolean;
  again: () => void;
}

/** How a question ended the last time; `turn` tells how often it had been asked anew. */
export interface Ended<T> {
  key: string;
  turn: number;
  value: T | null;
  problem: W.Problem | null;
}

/** A question has failed: what is known of the same one stays, and nothing of another. */
export function failed<T>(before: Ended<T> | null, key: string, turn: number, error: unknown): Ended<T> {
  return { key, turn, value: before?.key === key ? before.value : null, problem: problemOf(error).problem };
}

/**
 * Ask for something, and again whenever `key` changes; null asks for nothing.
 *
 * An answer that another question has overtaken is dropped. `load` has to end, as all methods of `Api` do.
 */
export function useLoad<T>(key: string | null, load: () => Promise<T>): Loaded<T> {
  const [ended, setEnded] = useState<Ended<T> | null>(null);
  const [turn, setTurn] = useState(0);
  const again = useCallback(() => {
    setTurn(before => before + 1);
  }, []);
  useEffect(() => {
    if (key === null) {
      return;
    }
    let wanted = true;
    load().then(
      value => {
        if (wanted) {
          setEnded({ key, turn, value, problem: null });
        }
      },
      (error: unknown) => {
        if (wanted) {
          setEnded(before => failed(before, key, turn, error));
        }
      }
    );
    return () => {
      wanted = false;
    };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- `load` is a closure of what `key` names
  }, [key, turn]);
  const same = ended !== null && ended.key === key;
  const here = same && ended.turn === turn;
  return { value: same ? ended.value : null, problem: here ? ended.problem : null, busy: key !== null && !here, again };
}
