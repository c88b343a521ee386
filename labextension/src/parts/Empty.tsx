import type { ReactElement } from 'react';

import { Button } from './Button';

/** What can be done about it. */
export interface Action {
  label: string;
  run: () => void;
  why?: string | undefined;
}

/** Nothing to show: why, and what comes next. */
export function Empty({ title, next, action }: { title: string; next: string; action?: Action }): ReactElement {
  return (
    <div className="jp-Swarm-empty">
      <p className="jp-Swarm-empty-title">{title}</p>
      <p>{next}</p>
      {action && (
        <Button kind="main" why={action.why} onPress={action.run}>
          {action.label}
        </Button>
      )}
    </div>
  );
}
