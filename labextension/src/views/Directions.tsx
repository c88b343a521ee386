import { useCallback, useEffect, useMemo, useRef, useState, type ReactElement, type RefObject } from 'react';

import type { Host } from '../host';
import { usePart, type SwarmModel } from '../model';
import { cut, Empty, Fold, Loading, number, usePending, useTrans, useWhyNot } from '../parts';
import type { Steering } from '../steering';
import type * as W from '../words';
import { AddDirection } from './directions/AddDirection';
import { DirectionCard, Standing } from './directions/DirectionCard';
import { reorder } from './directions/order';
import { Sources } from './directions/Sources';
import { useDrag, type Drag } from './directions/useDrag';

/** What every section is given. */
interface Props {
  model: SwarmModel;
  steering: Steering;
  host: Host;
  argument?: string;
}

/** A direction, and the priority that was asked for it. */
interface Entry {
  id: string;
  direction: W.Direction;
  asked: number | null;
  priority: number;
}

/** The lines of inquiry: open ones as cards in the order of their priority, closed ones folded. */
export function Directions({ model, steering, host, argument }: Props): ReactElement {
  const trans = useTrans();
  const directions = usePart(model, 'directions', each => each.directions);
  const known = usePart(model, 'card', each => each.card !== null);
  const why = useWhyNot(model, host);
  const closed = directions.filter(each => each.closed !== '');
  if (!known) {
    return <Loading what={trans.__('the directions')} />;
  }
  return (
    <div className="jp-Swarm-directions">
      <AddDirection model={model} steering={steering} why={why} />
      {directions.length === 0 && (
        <Empty
          title={trans.__('No direction yet')}
          next={trans.__('They are opened once the baseline has run. You may add one above already.')}
        />
      )}
      <Open {...{ model, steering, host, why, directions }} argument={argument} />
      {closed.length > 0 && (
        <Fold
          key={argument}
          summary={trans._n('%1 closed', '%1 closed', closed.length)}
          open={closed.some(each => each.id === argument)}
        >
          {() => <Closed directions={closed} host={host} />}
        </Fold>
      )}
    </div>
  );
}

type OpenProps = Omit<Props, 'argument'> & {
  why: string | undefined;
  directions: W.Direction[];
  argument: string | undefined;
};

function Open({ model, steering, host, why, directions, argument }: OpenProps): ReactElement {
  const trans = useTrans();
  const list = useRef<HTMLUListElement>(null);
  const { entries, hold } = useOrder(directions, steering);
  const [said, setSaid] = useState('');
  const move = useMove(entries, steering, why, setSaid);
  const { drag, handle } = useDrag(list, move.to);
  useShown(list, argument);
  const others = drag ? entries.filter(each => each.id !== drag.id) : [];
  const before = drag ? (others[drag.to]?.id ?? null) : undefined;
  return (
    <>
      <p className="jp-Swarm-hidden" role="status">
        {said}
      </p>
      <ul
        ref={list}
        className="jp-Swarm-direction-list"
        aria-label={trans.__('Open directions, by priority')}
        data-drop-last={before === null}
        onPointerDownCapture={hold}
      >
        {entries.map(({ id, direction, asked }, index) => (
          <DirectionCard
            key={id}
            {...{ direction, model, steering, host, asked, why }}
            first={index === 0}
            last={index === entries.length - 1}
            dragged={drag?.id === id}
            dropped={before === id}
            handle={handle(id)}
            onMove={move.by}
          />
        ))}
      </ul>
    </>
  );
}

/** Open directions by the priority that they have or were asked to have; while a pointer is down, as they were. */
function useOrder(directions: W.Direction[], steering: Steering): { entries: Entry[]; hold: () => void } {
  const pending = usePending(steering);
  const [held, setHeld] = useState<readonly string[] | null>(null);
  const sorted = useMemo(() => {
    const asked = new Map<string, number>();
    for (const each of pending) {
      if (each.verb === 'priority' && each.state !== 'not taken' && typeof each.value === 'number') {
        asked.set(each.target, each.value);
      }
    }
    return directions
      .filter(each => each.closed === '')
      .map((direction): Entry => {
        const wish = asked.get(direction.id) ?? null;
        return { id: direction.id, direction, asked: wish, priority: wish ?? direction.priority };
      })
      .sort((a, b) => b.priority - a.priority);
  }, [directions, pending]);
  useEffect(() => {
    const release = (): void => {
      setHeld(null);
    };
    if (held) {
      window.addEventListener('pointerup', release);
      window.addEventListener('pointercancel', release);
    }
    return () => {
      window.removeEventListener('pointerup', release);
      window.removeEventListener('pointercancel', release);
    };
  }, [held]);
  const place = (entry: Entry): number => {
    const index = held?.indexOf(entry.id) ?? -1;
    return index < 0 ? Infinity : index;
  };
  const entries = held ? [...sorted].sort((a, b) => (place(a) === place(b) ? 0 : place(a) - place(b))) : sorted;
  return {
    entries,
    hold: () => {
      setHeld(sorted.map(each => each.id));
    }
  };
}

/** Ask for the priorities that a new place needs, and say so. */
function useMove(
  entries: Entry[],
  steering: Steering,
  why: string | undefined,
  say: (words: string) => void
): { to: (drag: Drag) => void; by: (id: string, by: -1 | 1) => void } {
  const trans = useTrans();
  const latest = useRef(entries);
  useEffect(() => {
    latest.current = entries;
  });
  const to = useCallback(
    ({ id, to: place }: Drag) => {
      const changes = why === undefined ? reorder(latest.current, id, place) : [];
      for (const each of changes) {
        steering.ask('priority', each.id, each.priority).catch(() => undefined);
      }
      say(
        changes.length
          ? trans.__('Asked: %1', changes.map(each => `${each.id} → ${number(each.priority)}`).join(', '))
          : trans.__('%1 stays where it is.', id)
      );
    },
    [steering, why, say, trans]
  );
  const by = useCallback(
    (id: string, step: -1 | 1) => {
      to({ id, to: latest.current.findIndex(each => each.id === id) + step });
    },
    [to]
  );
  return { to, by };
}

/** Scroll the card that was asked for into view. */
function useShown(list: RefObject<HTMLElement | null>, id: string | undefined): void {
  useEffect(() => {
    const card = [...(list.current?.children ?? [])].find(
      each => each instanceof HTMLElement && each.dataset.id === id
    );
    card?.scrollIntoView({ block: 'center' });
  }, [list, id]);
}

function Closed({ directions, host }: { directions: W.Direction[]; host: Host }): ReactElement {
  const trans = useTrans();
  return (
    <ul className="jp-Swarm-direction-list">
      {directions.map(direction => (
        <li key={direction.id} className="jp-Swarm-direction">
          <h3>
            <span className="jp-Swarm-id">{direction.id}</span> {cut(direction.title, 160)}
          </h3>
          <p>{trans.__('Closed: %1', cut(direction.closed))}</p>
          <Standing direction={direction} host={host} />
          <Sources
            direction={direction}
            onOpen={passage => {
              host.goTo('papers', passage);
            }}
          />
        </li>
      ))}
    </ul>
  );
}
