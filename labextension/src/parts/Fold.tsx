import { useState, type ReactElement, type ReactNode } from 'react';

/** Something folded away under its summary; it is drawn when it is opened, not before. */
export function Fold({ summary, open = false, children }: FoldProps): ReactElement {
  const [shown, setShown] = useState(open);
  return (
    <details
      className="jp-Swarm-fold"
      open={shown}
      onToggle={event => {
        setShown(event.currentTarget.open);
      }}
    >
      <summary>{summary}</summary>
      {shown && children()}
    </details>
  );
}

/** What is folded, and under which words. */
export interface FoldProps {
  summary: ReactNode;
  open?: boolean;
  children: () => ReactNode;
}
