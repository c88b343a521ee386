import type { ReactElement } from 'react';

import { Button } from './Button';
import { useTrans } from './translation';

/** "50 of 1,000 shown", and a button for more; nothing where all are. */
export function More({
  shown,
  all,
  step,
  onMore
}: {
  shown: number;
  all: number;
  step: number;
  onMore: () => void;
}): ReactElement | null {
  const trans = useTrans();
  if (shown >= all) {
    return null;
  }
  return (
    <p className="jp-Swarm-more">
      <span>{trans.__('%1 of %2 shown', shown.toLocaleString(), all.toLocaleString())}</span>
      <Button onPress={onMore}>{trans.__('Show %1 more', Math.min(step, all - shown).toLocaleString())}</Button>
    </p>
  );
}
