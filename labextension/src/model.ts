import { type ISignal, Signal } from '@lumino/signaling';
import { useCallback, useSyncExternalStore } from 'react';

import type { Connection } from './stream';
import type * as W from './words';

/** What of a swarm may change by itself. */
export type Part = 'card' | 'directions' | 'findings' | 'agents' | 'runs' | 'log' | 'connection';

/** Runs as columns that grow in place; `runsVersion` of their model tells that they did. */
export interface RunColumns extends W.Runs {
  readonly length: number;
}

/** Lines of the log that are kept. */
const LINES = 5000;
/** Seconds by which the server's clock may seem to jump because an answer was slow. */
const SLACK = 5;

/** One swarm as the server tells of it, merged from `Changes`: parts are replaced when they change, runs grow in place. */
export class SwarmModel {
  card: W.Card | null = null;
  knobs: W.Knob[] = [];
  /** Open ones first, then by priority. */
  directions: W.Direction[] = [];
  /** Best first. */
  findings: W.Finding[] = [];
  agents: W.Agent[] = [];
  runs: RunColumns = columns();
  runsVersion = 0;
  log: W.Line[] = [];
  answers: W.Answer[] = [];
  connection: Connection = { state: 'connecting', since: Date.now() / 1000 };
  /** What to ask for next. */
  cursor = 0;
  ledger = '';
  private rows = new Map<number, number>();
  private offset: number | null = null;
  private readonly versions = new Map<Part, number>();
  private readonly signal = new Signal<this, Part>(this);

  constructor(
    readonly folder: string,
    readonly name: string
  ) {}

  get changed(): ISignal<this, Part> {
    return this.signal;
  }

  /** How often a part has changed. */
  version(part: Part): number {
    return this.versions.get(part) ?? 0;
  }

  /** Seconds since 1970 by the server's clock. */
  now(): number {
    return Date.now() / 1000 + (this.offset ?? 0);
  }

  /** The row of a run, or -1. */
  rowOf(number: number): number {
    return this.rows.get(number) ?? -1;
  }

  /** Take in what is new. */
  apply(changes: W.Changes): void {
    const anew = changes.whole || (this.ledger !== '' && changes.ledger !== this.ledger);
    const touched = new Set<Part>();
    if (anew) {
      this.forget();
      (['directions', 'findings', 'agents', 'runs', 'log'] as const).forEach(part => touched.add(part));
    }
    this.tune(changes.at);
    this.ledger = changes.ledger;
    this.cursor = changes.cursor;
    this.merge(changes, touched);
    touched.forEach(part => {
      this.touch(part);
    });
  }

  /** How news comes has changed. */
  connected(connection: Connection): void {
    this.connection = connection;
    this.touch('connection');
  }

  private merge(changes: W.Changes, touched: Set<Part>): void {
    if (changes.whole) {
      this.knobs = changes.knobs;
    }
    if (JSON.stringify(changes.card) !== JSON.stringify(this.card)) {
      this.card = changes.card;
      touched.add('card');
    }
    if (changes.directions.length) {
      this.directions = merged(this.directions, changes.directions).sort(byPriority);
      touched.add('directions');
    }
    if (changes.findings.length) {
      this.findings = merged(this.findings, changes.findings).sort((a, b) => a.order - b.order);
      touched.add('findings');
    }
    if (changes.agents.length) {
      this.agents = merged(this.agents, changes.agents);
      touched.add('agents');
    }
    if (changes.runs.number.length) {
      this.takeRuns(changes.runs);
      touched.add('runs');
    }
    if (changes.log.length || changes.answers.length) {
      this.takeLines(changes);
      touched.add('log');
    }
  }

  private takeLines({ log, answers }: W.Changes): void {
    const last = this.log.at(-1)?.number ?? 0;
    this.log = [...this.log, ...log.filter(line => line.number > last)].slice(-LINES);
    const known = new Map(this.answers.map(each => [each.number, each]));
    answers.forEach(each => known.set(each.number, each));
    this.answers = [...known.values()].sort((a, b) => a.number - b.number);
  }

  /** Runs that are new come at the end; those that are known are written over, as from "running" to "ok". */
  private takeRuns(news: W.Runs): void {
    const last = this.runs.number.at(-1) ?? 0;
    const late = news.number.some(number => number < last && !this.rows.has(number));
    news.number.forEach((number, from) => {
      let row = this.rows.get(number);
      if (row === undefined) {
        row = this.runs.number.length;
        this.rows.set(number, row);
      }
      for (const column of COLUMNS) {
        (this.runs[column] as unknown[])[row] = news[column][from];
      }
    });
    if (late) {
      this.sortRuns();
    }
    this.runsVersion += 1;
  }

  private sortRuns(): void {
    const order = this.runs.number.map((number, row) => ({ number, row })).sort((a, b) => a.number - b.number);
    const sorted = columns();
    for (const column of COLUMNS) {
      order.forEach(({ row }) => (sorted[column] as unknown[]).push(this.runs[column][row]));
    }
    this.runs = sorted;
    this.rows = new Map(order.map(({ number }, row) => [number, row]));
  }

  private forget(): void {
    this.knobs = [];
    this.directions = [];
    this.findings = [];
    this.agents = [];
    this.runs = columns();
    this.rows = new Map();
    this.runsVersion += 1;
    this.log = [];
    this.answers = [];
  }

  /** An answer that was long under way makes the server's clock seem late, never early. */
  private tune(at: number): void {
    const offset = at - Date.now() / 1000;
    const jumped = this.offset === null || Math.abs(offset - this.offset) > SLACK;
    this.offset = jumped ? offset : Math.max(offset, this.offset ?? offset);
  }

  private touch(part: Part): void {
    this.versions.set(part, this.version(part) + 1);
    this.signal.emit(part);
  }
}

const COLUMNS = [
  'number',
  'seed',
  'purpose',
  'direction',
  'agent',
  'hypothesis',
  'state',
  'value',
  'seconds',
  'clock',
  'title',
  'edits'
] as const satisfies readonly (keyof W.Runs)[];

function columns(): RunColumns {
  const number: number[] = [];
  return {
    number,
    seed: [],
    purpose: [],
    direction: [],
    agent: [],
    hypothesis: [],
    state: [],
    value: [],
    seconds: [],
    clock: [],
    title: [],
    edits: [],
    get length() {
      return number.length;
    }
  };
}

/** Those that are known, in their order, with what is new in place of what it renews. */
function merged<T extends { id: string }>(known: readonly T[], news: readonly T[]): T[] {
  const all = new Map(known.map(each => [each.id, each]));
  news.forEach(each => all.set(each.id, each));
  return [...all.values()];
}

const numbers = new Intl.Collator('en', { numeric: true });

function byPriority(a: W.Direction, b: W.Direction): number {
  const closed = Number(a.closed !== '') - Number(b.closed !== '');
  return closed || b.priority - a.priority || numbers.compare(a.id, b.id);
}

/** What a view reads of a part; it is drawn again when the part has changed. */
export function usePart<T>(model: SwarmModel, part: Part, read: (model: SwarmModel) => T): T {
  const subscribe = useCallback(
    (redraw: () => void) => {
      const slot = (_: SwarmModel, changed: Part): void => {
        if (changed === part) {
          redraw();
        }
      };
      model.changed.connect(slot);
      return () => {
        model.changed.disconnect(slot);
      };
    },
    [model, part]
  );
  useSyncExternalStore(subscribe, () => model.version(part));
  return read(model);
}
