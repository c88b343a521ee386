import type { ReactElement } from 'react';

import { number, signed } from './format';
import { along, type Estimate, type Scale } from './scale';
import { useTrans } from './translation';

/** What to draw: an estimate in its interval on a scale that others share. */
export interface IntervalProps extends Estimate {
  scale: Scale;
  /** What is estimated, for those who cannot see it: "effect", "promise". */
  label: string;
  /** Whether values carry their sign. */
  gain?: boolean;
}

/** A dot, its interval and a line at 0; an end that is not bounded is dashed to the edge. */
export function Interval({ effect, low, high, scale, label, gain = false }: IntervalProps): ReactElement {
  const said = useWords({ effect, low, high, label, gain });
  const at = (value: number): string => `${100 * along(value, scale)}%`;
  const [left, right] = [low ?? scale[0], high ?? scale[1]];
  const bounded = low !== null && high !== null;
  return (
    <svg className="jp-Swarm-interval" role="img" aria-label={said} height="16" width="100%">
      <title>{said}</title>
      <line className="jp-Swarm-interval-axis" x1="0%" x2="100%" y1="8" y2="8" />
      {scale[0] < 0 && <line className="jp-Swarm-interval-zero" x1={at(0)} x2={at(0)} y1="0" y2="16" />}
      {effect !== null && (
        <>
          <line className="jp-Swarm-interval-range" data-bounded={bounded} x1={at(left)} x2={at(right)} y1="8" y2="8" />
          {low !== null && <line className="jp-Swarm-interval-end" x1={at(low)} x2={at(low)} y1="4" y2="12" />}
          {high !== null && <line className="jp-Swarm-interval-end" x1={at(high)} x2={at(high)} y1="4" y2="12" />}
          <circle className="jp-Swarm-interval-dot" cx={at(effect)} cy="8" r="4" />
        </>
      )}
    </svg>
  );
}

function useWords({ effect, low, high, label, gain }: Omit<IntervalProps, 'scale'>): string {
  const trans = useTrans();
  if (effect === null) {
    return trans.__('%1: not measured yet', label);
  }
  const show = gain ? signed : number;
  const end = (value: number | null): string => (value === null ? trans.__('not bounded') : show(value, 3));
  return trans.__('%1 %2, between %3 and %4', label, show(effect, 3), end(low), end(high));
}
