import type { ReactElement } from 'react';

/** How far something has come. */
export interface ProgressProps {
  label: string;
  value: number;
  /** Null where it has no end: then there are words alone. */
  max: number | null;
  /** The same in words: "120 of 500 runs". */
  words: string;
}

/** A bar with its words. */
export function Progress({ label, value, max, words }: ProgressProps): ReactElement {
  const share = max !== null && max > 0 ? Math.min(1, Math.max(0, value / max)) : null;
  return (
    <div className="jp-Swarm-progress">
      <span className="jp-Swarm-progress-words">
        <span>{label}</span> <span>{words}</span>
      </span>
      {share !== null && (
        <div
          className="jp-Swarm-progress-track"
          role="progressbar"
          aria-label={label}
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuenow={Math.round(100 * share)}
          aria-valuetext={words}
        >
          <div className="jp-Swarm-progress-bar" style={{ width: `${100 * share}%` }} />
        </div>
      )}
    </div>
  );
}
