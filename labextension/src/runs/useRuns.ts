import { useMemo } from 'react';

import { type SwarmModel, usePart } from '../model';
import type * as W from '../words';

/** The runs as they are now; another object whenever they have changed, though their columns grow in place. */
export interface RunsNow {
  readonly runs: W.Runs;
  readonly version: number;
}

/** A swarm's runs. */
export function useRuns(model: SwarmModel): RunsNow {
  const version = usePart(model, 'runs', each => each.runsVersion);
  const { runs } = model;
  return useMemo(() => ({ runs, version }), [runs, version]);
}
