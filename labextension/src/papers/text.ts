import type { Part, Text, Use } from '../words';

/** A piece of a paper's text by offsets, as the server counts them: characters of Unicode, not halves of them. */
export interface Span {
  start: number;
  end: number;
}

/** A passage that a link leads to. */
export interface Passage extends Span {
  paper: string;
}

/** What "PAPER@start-end" names; the whole paper without offsets, null where it is nothing of the kind. */
export function passageOf(argument: string): Passage | null {
  const found = /^([^@]+)(?:@(\d+)-(\d+))?$/.exec(argument);
  return found?.[1] ? { paper: found[1], start: Number(found[2] ?? 0), end: Number(found[3] ?? 0) } : null;
}

/** Text that reads on: a window, and what was loaded before and after it. */
export interface Reading {
  start: number;
  end: number;
  text: string;
}

/** A window put to what is read: joined where they touch, in place of it where they do not. */
export function joined(reading: Reading | null, window: Reading): Reading {
  if (reading && window.start === reading.end) {
    return { start: reading.start, end: window.end, text: reading.text + window.text };
  }
  if (reading && window.end === reading.start) {
    return { start: window.start, end: reading.end, text: window.text + reading.text };
  }
  return { start: window.start, end: window.end, text: window.text };
}

/** Whether a window goes on where what is read begins or ends. */
export function touches(reading: Reading, window: Reading): boolean {
  return window.start === reading.end || window.end === reading.start;
}

/** A run of text: plain, cited somewhere, or the quotation that is looked for. */
export interface Piece extends Span {
  text: string;
  kind: 'plain' | 'cited' | 'mark';
}

/** A page or section with what is loaded of it. */
export interface Section {
  name: string;
  start: number;
  /** Whether its beginning is not loaded. */
  continued: boolean;
  pieces: Piece[];
}

/**
 * What is loaded, cut where a page or section begins, and where a quotation begins or ends.
 *
 * The pieces of all sections in their order are the text again.
 */
export function sectionsOf(
  reading: Reading,
  parts: readonly Part[],
  uses: readonly Use[],
  target: Span | null
): Section[] {
  const cut = cutter(reading);
  const inside = parts.filter(part => part.start < reading.end && part.end > reading.start);
  const starts = inside.map(part => Math.max(part.start, reading.start));
  const lead = starts.length === 0 || (starts[0] ?? 0) > reading.start;
  const sections: Section[] = [];
  const add = (name: string, from: number, to: number, continued: boolean): void => {
    if (to > from) {
      const pieces = piecesOf({ start: from, end: to }, uses, target, cut);
      sections.push({ name, start: from, continued, pieces });
    }
  };
  if (lead) {
    add('', reading.start, starts[0] ?? reading.end, false);
  }
  inside.forEach((part, place) => {
    const from = starts[place] ?? reading.start;
    add(part.name, from, starts[place + 1] ?? reading.end, part.start < reading.start);
  });
  return sections;
}

function piecesOf(span: Span, uses: readonly Use[], target: Span | null, cut: (span: Span) => string): Piece[] {
  const wanted = target && target.end > target.start ? [target] : [];
  const near = [...uses, ...wanted].filter(each => each.start < span.end && each.end > span.start);
  const edges = near.flatMap(each => [each.start, each.end]).filter(edge => edge > span.start && edge < span.end);
  const cuts = [...new Set([span.start, ...edges, span.end])].sort((a, b) => a - b);
  return cuts.slice(1).map((end, place) => {
    const start = cuts[place] ?? span.start;
    const holds = (each: Span): boolean => each.start <= start && each.end >= end;
    const kind = wanted.some(holds) ? 'mark' : uses.some(holds) ? 'cited' : 'plain';
    return { start, end, kind, text: cut({ start, end }) };
  });
}

/** Cuts by characters of Unicode; JavaScript counts some of them twice. */
function cutter(reading: Reading): (span: Span) => string {
  const { start, text } = reading;
  if (text.length === reading.end - start) {
    return span => text.slice(span.start - start, span.end - start);
  }
  const characters = Array.from(text);
  return span => characters.slice(span.start - start, span.end - start).join('');
}

/** Characters before a quotation that are read with it. */
const LEAD = 2000;

/** Where the first window begins: a little before a quotation, at a place that is asked for without one. */
export function beginning(target: Span | null): number {
  return target ? Math.max(0, target.end > target.start ? target.start - LEAD : target.start) : 0;
}

/** The name of the page or section in which a passage begins; '' where there is none. */
export function placeOf(text: Pick<Text, 'parts'>, target: Span): string {
  return text.parts.find(part => part.start <= target.start && target.start < part.end)?.name ?? '';
}

/** What cites a paper, and each passage that it cites. */
export interface Citing {
  swarm: string;
  kind: Use['kind'];
  id: string;
  what: string;
  spans: Span[];
}

/** Citations by what cites, in the order in which that came first; a passage stands there once. */
export function byCiting(uses: readonly Use[]): Citing[] {
  const found = new Map<string, Citing>();
  for (const { swarm, kind, id, what, start, end } of uses) {
    const key = JSON.stringify([swarm, kind, id]);
    const citing = found.get(key) ?? { swarm, kind, id, what, spans: [] };
    found.set(key, citing);
    if (!citing.spans.some(span => span.start === start && span.end === end)) {
      citing.spans.push({ start, end });
    }
  }
  return [...found.values()];
}
