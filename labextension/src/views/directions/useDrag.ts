import { useCallback, useEffect, useRef, useState, type PointerEvent, type RefObject } from 'react';

/** A card that is being dragged, and the place among the others where it would be dropped. */
export interface Drag {
  id: string;
  to: number;
}

/** Pixels from an edge of what scrolls, within which dragging scrolls. */
const EDGE = 32;

/**
 * Dragging the cards of a list by their handles. Escape, or letting go elsewhere, changes nothing.
 *
 * @param list - its children with `data-id` are the cards
 * @param drop - what to do with the one that was dropped
 */
export function useDrag(
  list: RefObject<HTMLElement | null>,
  drop: (drag: Drag) => void
): { drag: Drag | null; handle: (id: string) => Handle } {
  const [drag, setDrag] = useState<Drag | null>(null);
  const now = useRef<Drag | null>(null);
  const become = useCallback((next: Drag | null) => {
    now.current = next;
    setDrag(next);
  }, []);
  const held = drag !== null;
  useEffect(() => {
    const cancel = (event: KeyboardEvent): void => {
      if (event.key === 'Escape') {
        event.stopPropagation();
        become(null);
      }
    };
    if (held) {
      window.addEventListener('keydown', cancel, true);
    }
    return () => {
      window.removeEventListener('keydown', cancel, true);
    };
  }, [held, become]);
  const handle = (id: string): Handle => ({
    onPointerDown: event => {
      if (event.button === 0 && list.current) {
        event.currentTarget.setPointerCapture(event.pointerId);
        become({ id, to: placeAt(list.current, id, event.clientY) });
      }
    },
    onPointerMove: event => {
      if (now.current && list.current) {
        scroll(list.current, event.clientY);
        become({ id, to: placeAt(list.current, id, event.clientY) });
      }
    },
    onPointerUp: () => {
      const done = now.current;
      become(null);
      if (done) {
        drop(done);
      }
    },
    onPointerCancel: () => {
      become(null);
    }
  });
  return { drag, handle };
}

/** What a handle has to listen to. */
export type Handle = Record<
  'onPointerDown' | 'onPointerMove' | 'onPointerUp' | 'onPointerCancel',
  (event: PointerEvent<HTMLElement>) => void
>;

/** How many of the other cards lie above this height. */
function placeAt(list: HTMLElement, id: string, y: number): number {
  const others = [...list.children].filter(
    (each): each is HTMLElement =>
      each instanceof HTMLElement && each.dataset.id !== undefined && each.dataset.id !== id
  );
  return others.filter(each => {
    const { top, height } = each.getBoundingClientRect();
    return top + height / 2 < y;
  }).length;
}

function scroll(list: HTMLElement, y: number): void {
  let box = list.parentElement;
  while (box && box.scrollHeight <= box.clientHeight) {
    box = box.parentElement;
  }
  const bounds = box?.getBoundingClientRect();
  if (box && bounds) {
    box.scrollTop += y < bounds.top + EDGE ? -8 : y > bounds.bottom - EDGE ? 8 : 0;
  }
}
