import { memo, type KeyboardEvent, type ReactElement } from 'react';

import type { Host } from '../../host';
import type { SwarmModel } from '../../model';
import { Ask, Asked, Button, cut, Fold, Interval, number, percent, UNIT, useTrans } from '../../parts';
import type { Steering } from '../../steering';
import type * as W from '../../words';
import { Priority } from './Priority';
import { Sources } from './Sources';
import type { Handle } from './useDrag';

/** A direction, and what a person may do with it. */
export interface CardProps {
  direction: W.Direction;
  model: SwarmModel;
  steering: Steering;
  host: Host;
  /** The priority that was asked for and not answered yet. */
  asked: number | null;
  why: string | undefined;
  first: boolean;
  last: boolean;
  dragged: boolean;
  /** Whether what is dragged would be dropped above it. */
  dropped: boolean;
  handle: Handle;
  onMove: (id: string, by: -1 | 1) => void;
}

const VERBS = ['priority', 'close', 'approve', 'veto'] as const;

/** One open direction: title, promise, share of work, priority, sources, and the person's decisions. */
export const DirectionCard = memo(
  function DirectionCard(props: CardProps): ReactElement {
    const { direction, model, steering, host, asked, why, dragged, dropped, onMove } = props;
    const title = cut(direction.title, 160);
    return (
      <li
        className="jp-Swarm-direction"
        data-id={direction.id}
        data-dragged={dragged}
        data-dropped={dropped}
        data-rests={direction.priority === 0}
        onKeyDown={event => {
          moveByKey(event, by => {
            onMove(direction.id, by);
          });
        }}
      >
        <Head {...props} title={title} />
        <Standing direction={direction} host={host} />
        <Priority
          title={title}
          priority={direction.priority}
          asked={asked}
          why={why}
          onAsk={value => void steering.ask('priority', direction.id, value).catch(() => undefined)}
        />
        <Sources
          direction={direction}
          onOpen={passage => {
            host.goTo('papers', passage);
          }}
        />
        <Decisions direction={direction} title={title} steering={steering} why={why} />
        <Asked model={model} steering={steering} verbs={VERBS} target={direction.id} />
      </li>
    );
  },
  (before, after) =>
    before.direction === after.direction &&
    before.asked === after.asked &&
    before.why === after.why &&
    before.first === after.first &&
    before.last === after.last &&
    before.dragged === after.dragged &&
    before.dropped === after.dropped &&
    before.model === after.model &&
    before.onMove === after.onMove
);

function moveByKey(event: KeyboardEvent, move: (by: -1 | 1) => void): void {
  const by = event.key === 'ArrowUp' ? -1 : event.key === 'ArrowDown' ? 1 : null;
  if (event.altKey && by !== null) {
    event.preventDefault();
    event.stopPropagation();
    move(by);
  }
}

function Head({ direction, title, why, first, last, handle, onMove }: CardProps & { title: string }): ReactElement {
  const trans = useTrans();
  const up = why ?? (first ? trans.__('It is the first') : undefined);
  const down = why ?? (last ? trans.__('It is the last') : undefined);
  return (
    <div className="jp-Swarm-direction-head">
      {why === undefined && (
        <span
          className="jp-Swarm-direction-handle"
          aria-hidden="true"
          title={trans.__('Drag to another place')}
          {...handle}
        >
          ⠿
        </span>
      )}
      <h3>
        <span className="jp-Swarm-id">{direction.id}</span> {title}
      </h3>
      <span className="jp-Swarm-direction-move">
        <Button
          why={up}
          name={trans.__('Move %1 up', title)}
          title={trans.__('Up (Alt+Arrow up)')}
          onPress={() => {
            onMove(direction.id, -1);
          }}
        >
          ↑
        </Button>
        <Button
          why={down}
          name={trans.__('Move %1 down', title)}
          title={trans.__('Down (Alt+Arrow down)')}
          onPress={() => {
            onMove(direction.id, 1);
          }}
        >
          ↓
        </Button>
      </span>
    </div>
  );
}

/** What is known of a direction, and the ways to its runs and findings. */
export function Standing({ direction, host }: { direction: W.Direction; host: Host }): ReactElement {
  const trans = useTrans();
  const { id, promise, low, high, share, trials, hypotheses, supported, failures, why, targets } = direction;
  return (
    <>
      <div className="jp-Swarm-direction-promise">
        <span>{trans.__('Promise %1', number(promise, 2))}</span>
        <Interval effect={promise} low={low} high={high} scale={UNIT} label={trans.__('promise, 90 % credible,')} />
      </div>
      <p className="jp-Swarm-direction-counts">
        <span>{trans.__('%1 of the work', percent(share))}</span>
        <Button
          kind="link"
          name={trans._n('%1 run of %2', '%1 runs of %2', trials, id)}
          onPress={() => {
            host.goTo('runs', `direction:${id}`);
          }}
        >
          {trans._n('%1 run', '%1 runs', trials)}
        </Button>
        <Button
          kind="link"
          name={trans._n('%1 idea of %2', '%1 ideas of %2', hypotheses, id)}
          onPress={() => {
            host.goTo('findings', `direction:${id}`);
          }}
        >
          {trans._n('%1 idea', '%1 ideas', hypotheses)}
        </Button>
        <span>{trans.__('%1 supported', supported)}</span>
        {failures > 0 && <span>{trans.__('%1 failed', failures)}</span>}
      </p>
      {(why !== '' || targets.length > 0) && (
        <Fold summary={trans.__('What and why')}>
          {() => (
            <>
              {why && <p>{cut(why, 600)}</p>}
              {targets.length > 0 && <p>{trans.__('Varies: %1', cut(targets.join(', '), 600))}</p>}
              <p>{trans.__('Opened by %1', cut(direction.agent, 80))}</p>
            </>
          )}
        </Fold>
      )}
    </>
  );
}

type Decided = Pick<CardProps, 'direction' | 'steering' | 'why'> & { title: string };

function Decisions({ direction, title, steering, why }: Decided): ReactElement {
  const trans = useTrans();
  const ask = (verb: W.Ask['verb']): void => {
    steering.ask(verb, direction.id).catch(() => undefined);
  };
  return (
    <div className="jp-Swarm-buttons">
      <Button
        why={why}
        name={trans.__('Approve %1', title)}
        title={trans.__('Its ideas count as approved, and its priority is at least 2')}
        onPress={() => {
          ask('approve');
        }}
      >
        {trans.__('Approve')}
      </Button>
      <Ask
        label={trans.__('Veto')}
        name={trans.__('Veto %1', title)}
        question={trans.__('Close it and veto all its ideas that have no verdict?')}
        yes={trans.__('Veto')}
        why={why}
        onYes={() => {
          ask('veto');
        }}
      />
      <Ask
        label={trans.__('Close')}
        name={trans.__('Close %1', title)}
        question={trans.__('No more work here?')}
        yes={trans.__('Close it')}
        why={why}
        onYes={() => {
          ask('close');
        }}
      />
    </div>
  );
}
