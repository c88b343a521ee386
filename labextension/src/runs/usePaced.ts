import { useEffect, useRef, useState } from 'react';

/** Runs from which drawing all of them takes so long that it is not done at every change. */
const MANY = 2000;
/** Milliseconds between drawings of so many. */
const PACE = 1000;

/**
 * A value that changes with every run, at a pace at which thousands of points can be drawn.
 *
 * `urgent` is what a person changes: with another one the value is taken at once.
 */
export function usePaced<T>(value: T, count: number, urgent: unknown): T {
  const [taken, setTaken] = useState({ value, urgent });
  const latest = useRef({ value, urgent });
  useEffect(() => {
    latest.current = { value, urgent };
  });
  if (taken.urgent !== urgent) {
    setTaken({ value, urgent });
  }
  const late = count > MANY && taken.value !== value;
  useEffect(() => {
    if (!late) {
      return;
    }
    const timer = setTimeout(() => {
      setTaken(latest.current);
    }, PACE);
    return () => {
      clearTimeout(timer);
    };
  }, [late]);
  return count > MANY ? taken.value : value;
}
