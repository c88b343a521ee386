import { useCallback, useState, useSyncExternalStore, type ReactElement } from 'react';

import type { Host } from '../host';
import { usePart, type SwarmModel } from '../model';
import type { Pending, Steering } from '../steering';
import type * as W from '../words';
import { Button } from './Button';
import { cut } from './format';
import { useTrans } from './translation';

/** Phases in which the runner takes requests. */
const TAKES = new Set(['requested', 'running', 'paused']);

/** Why a swarm cannot be steered by this person now; undefined where it can. `late`: this needs no runner. */
export function useWhyNot(model: SwarmModel, host: Host, late = false): string | undefined {
  const trans = useTrans();
  const phase = usePart(model, 'card', each => each.card?.phase);
  if (!host.may.write) {
    return trans.__('You may look, but not steer: ask the administrator for the right to write');
  }
  if (!late && phase !== undefined && !TAKES.has(phase)) {
    return trans.__('This swarm is over: start another one to go on');
  }
  return undefined;
}

/** Requests on their way, the oldest first. */
export function usePending(steering: Steering): readonly Pending[] {
  const subscribe = useCallback(
    (redraw: () => void) => {
      steering.changed.connect(redraw);
      return () => {
        steering.changed.disconnect(redraw);
      };
    },
    [steering]
  );
  return useSyncExternalStore(subscribe, () => steering.pending);
}

/** What is asked about one thing. */
export interface AskedProps {
  model: SwarmModel;
  steering: Steering;
  verbs: readonly W.Ask['verb'][];
  /** Null: whatever its target. */
  target: string | null;
}

/** What was asked about one thing and has no answer yet, what was not taken (try again, forget), what was refused. */
export function Asked({ model, steering, verbs, target }: AskedProps): ReactElement | null {
  const about = (each: { verb: string; target: string }): boolean =>
    verbs.some(verb => verb === each.verb) && (target === null || each.target === target);
  const pending = usePending(steering).filter(about);
  const answers = usePart(model, 'log', each => each.answers);
  const [before] = useState(() => answers.at(-1)?.number ?? 0);
  const [read, setRead] = useState(0);
  const last = answers.filter(each => about(each) && each.done !== null).at(-1);
  const refused = last?.done === false && last.number > Math.max(before, read) ? last : null;
  if (!pending.length && !refused) {
    return null;
  }
  return (
    <div className="jp-Swarm-asked">
      {pending.map(each => (
        <Waiting key={each.id} request={each} steering={steering} />
      ))}
      {refused && <Refusal answer={refused} onRead={setRead} />}
    </div>
  );
}

function Waiting({ request, steering }: { request: Pending; steering: Steering }): ReactElement {
  const trans = useTrans();
  const what = cut(
    [request.verb, request.target, request.value].filter(each => each !== null && each !== '').join(' '),
    120
  );
  if (request.state !== 'not taken') {
    return (
      <p className="jp-Swarm-asked-line" data-state={request.state}>
        {request.state === 'sending' ? trans.__('Sending: %1', what) : trans.__('Asked, not answered yet: %1', what)}
      </p>
    );
  }
  return (
    <div className="jp-Swarm-asked-line" data-state="not taken">
      <p>
        <span aria-hidden="true">⚠ </span>
        {trans.__('Not taken: %1.', what)} {cut(request.problem?.message ?? '')}
      </p>
      <Button
        onPress={() => {
          steering.retry(request.id);
        }}
      >
        {trans.__('Try again')}
      </Button>
      <Button
        onPress={() => {
          steering.forget(request.id);
        }}
      >
        {trans.__('Forget it')}
      </Button>
    </div>
  );
}

function Refusal({ answer, onRead }: { answer: W.Answer; onRead: (number: number) => void }): ReactElement {
  const trans = useTrans();
  return (
    <div className="jp-Swarm-asked-line" data-state="refused">
      <p>
        <span aria-hidden="true">✗ </span>
        {trans.__('Refused: %1', cut(answer.answer, 600))}
      </p>
      <Button
        onPress={() => {
          onRead(answer.number);
        }}
      >
        {trans.__('Understood')}
      </Button>
    </div>
  );
}
