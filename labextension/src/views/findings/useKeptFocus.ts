import { type MutableRefObject, type RefObject, useLayoutEffect } from 'react';

/** Where the focus was in a card that was taken out of its group: the finding, and the name of what had it. */
export interface Held {
  id: string;
  name: string;
}

/** A card that comes to stand in another group has the focus there, if it had it: on the same button, or its first. */
export function useKeptFocus(
  card: RefObject<HTMLElement | null>,
  id: string,
  heldRef: MutableRefObject<Held | null>
): void {
  useLayoutEffect(() => {
    const node = card.current;
    if (node && heldRef.current?.id === id) {
      counterpart(node, heldRef.current.name)?.focus();
      heldRef.current = null;
    }
    return () => {
      const focused = document.activeElement;
      if (focused && node?.contains(focused)) {
        heldRef.current = { id, name: nameOf(focused) };
      }
    };
  }, [card, id, heldRef]);
}

function counterpart(card: HTMLElement, name: string): HTMLElement | undefined {
  const buttons = [...card.querySelectorAll('button')];
  return buttons.find(each => nameOf(each) === name) ?? buttons.find(each => each.ariaExpanded !== null) ?? buttons[0];
}

function nameOf(node: Element): string {
  return node.getAttribute('aria-label') ?? node.textContent;
}
