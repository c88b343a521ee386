import type { ReactElement } from 'react';

import type * as W from '../words';
import { Button } from './Button';
import { cut } from './format';
import { useTrans } from './translation';

/** What went wrong, where, and what helps. */
export function Failure({ problem, retry }: { problem: W.Problem; retry?: (() => void) | undefined }): ReactElement {
  const trans = useTrans();
  return (
    <div className="jp-Swarm-failure" role="alert">
      <p>
        <span aria-hidden="true">⚠ </span>
        {cut(problem.message, 600)}
      </p>
      {problem.where && <p>{trans.__('Where: %1', cut(problem.where))}</p>}
      {problem.cure && <p>{trans.__('What helps: %1', cut(problem.cure, 600))}</p>}
      {retry && <Button onPress={retry}>{trans.__('Try again')}</Button>}
    </div>
  );
}
