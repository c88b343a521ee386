import { useEffect, useRef, type ReactElement } from 'react';

import { Button, Failure, Loading, useTrans } from '../parts';
import type * as W from '../words';
import type { Found } from './cell';
import { Plan } from './Plan';

/** What goes on with the kernel. */
export type Work =
  | { state: 'idle' }
  /** `running`: the notebook has the cell; it can be interrupted there, and not be cancelled here. */
  | { state: 'previewing' | 'starting' | 'running'; since: number }
  | { state: 'found'; found: Found; line: string }
  | { state: 'failed'; problem: W.Problem };

/** What can be asked for. */
export interface Actions {
  preview: () => void;
  start: () => void;
  cancel: () => void;
}

/** What is shown of it. */
export interface OutcomeProps {
  work: Work;
  line: string;
  busy: boolean;
  actions: Actions;
}

/** What came of the last request, brought into view. */
export function Outcome(props: OutcomeProps): ReactElement | null {
  const seen = useRef<HTMLDivElement>(null);
  useEffect(() => {
    seen.current?.scrollIntoView({ block: 'nearest' });
  }, []);
  return props.work.state === 'idle' ? null : (
    <div ref={seen} className="jp-Swarm-outcome">
      <Said {...props} />
    </div>
  );
}

function Said({ work, line, busy, actions }: OutcomeProps): ReactElement | null {
  const trans = useTrans();
  if (work.state === 'failed') {
    return <Failure problem={work.problem} retry={actions.preview} />;
  }
  if (work.state === 'found') {
    return (
      <>
        {work.line !== line && (
          <p className="jp-Swarm-note">{trans.__('The options have changed since: preview again.')}</p>
        )}
        <Plan found={work.found} />
      </>
    );
  }
  if (work.state === 'idle') {
    return null;
  }
  if (work.state === 'running') {
    return <Loading what={trans.__('the cell, which runs in its notebook')} since={work.since} />;
  }
  const what = busy ? trans.__('the kernel, which is busy') : trans.__('the kernel');
  return (
    <div className="jp-Swarm-row">
      <Loading what={what} since={work.since} />
      <Button onPress={actions.cancel}>{trans.__('Cancel')}</Button>
    </div>
  );
}
