/** What the order of directions rests on. */
export interface Ranked {
  id: string;
  priority: number;
}

/** The largest priority that the server takes. */
export const MOST = 100;
/** How far above the first a direction is put. */
const STEP = 0.5;
const DIGITS = 6;

/**
 * The priorities that put a direction in another place: its own, and those of its equals where the place lies among them.
 *
 * The order is by priority, so a direction that is dropped between two gets a priority between theirs; above all, a
 * little more than the first; below all, half of the last, since 0 would rest it. Where both neighbours have the same
 * priority, no number lies between: then the smaller half of those equals makes way, up or down. Directions that rest
 * (0) have no order.
 *
 *     reorder([{id: 'D1', priority: 2}, {id: 'D2', priority: 1}, {id: 'D3', priority: 1}], 'D3', 1)
 *       → [{id: 'D3', priority: 1.5}]
 *
 * @param ranked - those that are open, in their order: the highest priority first
 * @param to - its place among the others, from 0
 */
export function reorder(ranked: readonly Ranked[], id: string, to: number): Ranked[] {
  const moved = ranked.find(each => each.id === id);
  const others = ranked.filter(each => each.id !== id);
  if (!moved || !others.length || others.length < to || to < 0 || ranked.indexOf(moved) === to) {
    return [];
  }
  const above = others[to - 1];
  const below = others[to];
  if (!above) {
    return own(id, Math.min(MOST, (below?.priority ?? 1) + STEP));
  }
  if (!below) {
    return own(id, above.priority > 0 ? tidy(0, above.priority, above.priority / 2) : 0);
  }
  if (above.priority > below.priority) {
    return own(id, tidy(below.priority, above.priority, (above.priority + below.priority) / 2));
  }
  return above.priority > 0 ? amongEquals(others, id, to, above.priority) : [];
}

function own(id: string, priority: number): Ranked[] {
  return [{ id, priority }];
}

/** Both neighbours have this priority: the fewer of those above, or below, make way. */
function amongEquals(others: readonly Ranked[], id: string, to: number, priority: number): Ranked[] {
  const upper = others.slice(0, to).filter(each => each.priority === priority);
  const lower = others.slice(to).filter(each => each.priority === priority);
  const rise = priority < MOST && upper.length <= lower.length;
  const end = rise
    ? (others.filter(each => each.priority > priority).at(-1)?.priority ?? Math.min(MOST, priority + 1))
    : null;
  if (end !== null) {
    const mine = tidy(priority, end, priority + (end - priority) / 3);
    const theirs = tidy(mine, end, mine + (end - mine) / 2);
    return [...upper.map(each => ({ id: each.id, priority: theirs })), { id, priority: mine }];
  }
  const floor = others.find(each => each.priority < priority)?.priority ?? 0;
  const mine = tidy(floor, priority, priority - (priority - floor) / 3);
  const theirs = tidy(floor, mine, floor + (mine - floor) / 2);
  return [{ id, priority: mine }, ...lower.map(each => ({ id: each.id, priority: theirs }))];
}

/** The number of fewest digits that lies strictly between two, near a third. */
function tidy(low: number, high: number, near: number): number {
  for (let digits = 0; digits <= DIGITS; digits += 1) {
    const rounded = Number(near.toFixed(digits));
    if (low < rounded && rounded < high) {
      return rounded;
    }
  }
  return near;
}
