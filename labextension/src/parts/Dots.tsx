import type { ReactElement } from 'react';

import { signed } from './format';
import { along, scaleOf } from './scale';
import { useTrans } from './translation';

/** Dots that are drawn; of more, evenly chosen ones. */
const MOST = 400;
/** Heights over which dots are spread, so that equal ones are seen as several. */
const LEVELS = [8, 14, 20, 11, 17];

/** Gains, each a dot on one axis with 0 on it. */
export function Dots({ gains, label }: { gains: readonly number[]; label: string }): ReactElement {
  const trans = useTrans();
  const scale = scaleOf(gains.map(effect => ({ effect, low: null, high: null })));
  const sorted = [...gains].sort((a, b) => a - b);
  const better = gains.filter(gain => gain > 0).length;
  const ends = [signed(sorted[0]), signed(sorted.at(-1)), signed(sorted[Math.trunc(sorted.length / 2)])];
  const said = trans.__('%1: %2 of %3 above 0, from %4 to %5, in the middle %6', label, better, gains.length, ...ends);
  const step = Math.max(1, Math.ceil(gains.length / MOST));
  const zero = `${100 * along(0, scale)}%`;
  return (
    <svg className="jp-Swarm-dots" role="img" aria-label={said} width="100%" height="28">
      <title>{said}</title>
      <line className="jp-Swarm-interval-zero" x1={zero} x2={zero} y1="0" y2="28" />
      {gains
        .filter((_, index) => index % step === 0)
        .map((gain, index) => (
          <circle key={index} cx={`${100 * along(gain, scale)}%`} cy={LEVELS[index % LEVELS.length]} r="3" />
        ))}
    </svg>
  );
}
