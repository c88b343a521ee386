import type { IStateDB } from '@jupyterlab/statedb';
import { type ISignal, Signal } from '@lumino/signaling';

import type { Api } from './api';
import { Expected } from './expected';
import { SwarmModel } from './model';
import { problemOf } from './problem';
import { Rights } from './rights';
import { Steering } from './steering';
import { type Connection, Stream } from './stream';
import type * as W from './words';

/** Where the session is remembered. */
const KEY = 'jupyter-swarm:session';
/** Seconds for which the memory of the page is waited for: it is the server's, and may not answer. */
const PATIENCE = 5;
/** Seconds between two looks at the list for nudges, while a swarm is shown whose own stream tells what is new. */
const NUDGED = 2;

/** A swarm that is shown, with what follows and steers it. */
export interface Shown {
  readonly model: SwarmModel;
  readonly steering: Steering;
  readonly stream: Stream;
}

/** What the panels of this page show: a folder, its swarms, and one of them. All panels share it. */
export class Session {
  /** Relative to the server's root; "" is the root. */
  folder = '';
  /** Whether the person chose it; else it follows the current notebook. */
  picked = false;
  /** Why a look without refreshing failed. */
  problem: W.Problem | null = null;
  briefs: W.Briefs | null = null;
  shown: Shown | null = null;
  version = 0;
  /** What was started and is not listed yet. */
  readonly expected = new Expected(() => {
    this.greet();
  });
  private readonly list: Stream;
  private readonly rights: Rights;
  private readonly steerings = new Map<string, Steering>();
  private readonly signal = new Signal<this, void>(this);
  private offset = 0;
  private nudged = 0;
  private holds = 0;
  private refreshing = true;

  constructor(
    readonly api: Api,
    private readonly state: IStateDB | null
  ) {
    this.list = new Stream(
      (wait, signal) => this.askList(wait, signal),
      () => this.now()
    );
    this.list.changed.connect((_, { state }) => {
      this.briefs = state === 'nowhere' ? null : this.briefs;
      this.touch();
    });
    this.rights = new Rights(api);
    this.rights.changed.connect(this.learned);
  }

  get changed(): ISignal<this, void> {
    return this.signal;
  }

  /** How the list of swarms comes. */
  get connection(): Connection {
    return this.list.connection;
  }

  /** Seconds since 1970 by the server's clock. */
  now(): number {
    return Date.now() / 1000 + this.offset;
  }

  /** Begin: what was shown last time, unless something else has been chosen meanwhile; then the server's word. */
  async restore(): Promise<void> {
    const { folder, picked, shown } = this;
    const late = new Promise<undefined>(resolve => setTimeout(resolve, PATIENCE * 1000));
    const remembered = this.state?.fetch(KEY).catch(() => undefined);
    const kept = (await Promise.race([remembered, late])) as Partial<Kept> | undefined;
    const untouched = folder === this.folder && picked === this.picked && shown === this.shown;
    if (untouched && typeof kept?.folder === 'string') {
      this.picked = kept.picked === true;
      this.enter(kept.folder, typeof kept.swarm === 'string' ? kept.swarm : '');
    } else {
      this.run();
      void this.rights.learn(this.folder);
    }
  }

  /** Show the folder of what the person works at, unless another was chosen or a swarm is being looked at. */
  follow(folder: string): void {
    if (!this.picked && !this.shown && !this.about?.fixed && folder !== this.folder) {
      this.enter(folder);
    }
  }

  /** Show this folder from now on. */
  pick(folder: string): void {
    this.picked = true;
    this.enter(folder);
  }

  /** Follow the current notebook again. */
  unpick(folder: string): void {
    this.picked = false;
    this.follow(folder);
    this.keep();
    this.touch();
  }

  /** Show a swarm of the folder, or the list. */
  show(name: string | null): void {
    if (name === (this.shown?.model.name ?? null)) {
      return;
    }
    this.leave();
    if (name !== null) {
      this.open(name);
    }
    this.run();
    this.keep();
    this.touch();
  }

  /** Show a swarm, or the list (null), of this folder or another. */
  visit(name: string | null, folder: string): void {
    if (folder !== this.folder && !this.about?.fixed) {
      this.pick(folder);
    }
    this.show(name);
  }

  /**
   * A swarm of this name (or of its family: wine-2) was started from a cell: show it as soon as it is listed.
   *
   * @param startedAt - when that was asked for, in seconds since 1970 by this browser's clock
   * @param ran - whether the cell has come back, so that a new swarm of it is in the ledger by now
   */
  expect(name: string, folder: string, startedAt: number, ran: boolean): void {
    this.visit(null, folder);
    this.expected.begin(name, startedAt, ran);
    this.wake();
    this.touch();
  }

  /** What is asked of a swarm, shown or not. */
  steering(name: string): Steering {
    const key = `${this.folder}/${name}`;
    let steering = this.steerings.get(key);
    if (!steering) {
      const folder = this.folder;
      steering = new Steering(async ask => {
        const taken = await this.api.ask(folder, name, ask);
        this.wake();
        return taken;
      });
      steering.changed.connect(this.touch);
      this.steerings.set(key, steering);
    }
    return steering;
  }

  /** A panel has become visible; the answer takes that back. */
  hold(): () => void {
    let held = true;
    this.holds += 1;
    this.run();
    return () => {
      this.holds -= held ? 1 : 0;
      held = false;
      this.run();
    };
  }

  /** Whether to ask for news by itself. */
  setRefreshing(on: boolean): void {
    this.refreshing = on;
    this.run();
  }

  get refreshes(): boolean {
    return this.refreshing;
  }

  /** Ask now. */
  wake(): void {
    if (this.refreshing) {
      this.list.wake();
      this.shown?.stream.wake();
    } else {
      void this.once();
    }
  }

  /** The server says that something in this folder has changed. */
  nudge(folder: string): void {
    if (!this.refreshing || folder !== this.folder) {
      return;
    }
    this.shown?.stream.hint();
    if (!this.shown || this.now() - this.nudged >= NUDGED) {
      this.nudged = this.now();
      this.list.wake();
    }
  }

  /** What the server says of itself; null before it has. */
  get about(): W.About | null {
    return this.rights.about;
  }

  /** Whether this user may ask for changes, and start processes, here. */
  get may(): { write: boolean; execute: boolean } {
    return this.rights.may;
  }

  // ---------------------------------------------------------------- within

  /** Show this folder, and one of its swarms where one is named. */
  private enter(folder: string, swarm = ''): void {
    this.leave();
    this.folder = folder;
    this.briefs = null;
    if (swarm) {
      this.open(swarm);
    }
    this.list.stop();
    this.run();
    this.keep();
    this.touch();
    void this.rights.learn(this.folder);
  }

  /** Show and expect nothing. */
  private leave(): void {
    this.shown?.stream.stop();
    this.shown = null;
    this.expected.forget();
  }

  private open(name: string): void {
    const [model, steering] = [new SwarmModel(this.folder, name), this.steering(name)];
    const stream = new Stream(
      (wait, signal) => this.askSwarm(model, wait, signal),
      () => model.now()
    );
    model.connection = stream.connection;
    stream.changed.connect((_, connection) => {
      model.connected(connection);
    });
    model.changed.connect((_, part) => {
      if (part === 'log') {
        steering.settle(model.answers, model.ledger);
      }
    });
    this.shown = { model, steering, stream };
  }

  /** Let run what is wanted, stop what is not. One long poll at a time: browsers have few connections to a server. */
  private run(): void {
    const visible = this.holds > 0;
    this.list.slow = !visible || this.shown !== null;
    if (this.refreshing) {
      this.list.start();
    } else {
      this.list.stop();
      void this.once();
    }
    if (this.refreshing && visible) {
      this.shown?.stream.start();
    } else {
      this.shown?.stream.stop();
    }
    this.list.wake();
  }

  /** Without refreshing by itself: look once. */
  private async once(): Promise<void> {
    const never = new AbortController().signal;
    const shown = this.shown;
    const asked = [this.askList(0, never), ...(shown ? [this.askSwarm(shown.model, 0, never)] : [])];
    const failed = (await Promise.allSettled(asked)).find(each => each.status === 'rejected');
    this.problem = failed ? problemOf(failed.reason).problem : null;
    this.touch();
  }

  private async askList(wait: number, signal: AbortSignal): Promise<void> {
    const folder = this.folder;
    const { cursor: after, ledger } = this.briefs ?? { cursor: 0, ledger: '' };
    const briefs = await this.api.swarms(folder, { after, ledger, wait, signal });
    if (folder === this.folder) {
      this.offset = briefs.at - Date.now() / 1000;
      this.briefs = briefs;
      this.greet();
      this.compare(briefs.swarms);
      this.touch();
    }
  }

  /** Where the list knows more of the swarm that is shown than its own stream has told, the stream is asked. */
  private compare(swarms: readonly W.Brief[]): void {
    const { model, stream } = this.shown ?? {};
    const brief = swarms.find(each => each.name === model?.name);
    if (brief && model && brief.cursor > model.cursor) {
      stream?.wake();
    }
  }

  /** Show the swarm that is expected, if it has come. */
  private greet(): void {
    const found = this.expected.among(this.briefs?.swarms ?? [], this.offset);
    if (found) {
      this.show(found.name);
    }
  }

  private async askSwarm(model: SwarmModel, wait: number, signal: AbortSignal): Promise<void> {
    const { cursor: after, ledger } = model;
    const alive = model.card?.alive ?? false;
    model.apply(await this.api.swarm(model.folder, model.name, alive, { after, ledger, wait, signal }));
  }

  /** Where the server keeps all swarms in one folder, that is shown. */
  private readonly learned = (): void => {
    const about = this.about;
    if (about?.fixed && about.folder !== this.folder) {
      this.folder = about.folder;
      this.show(null);
      this.briefs = null;
      this.list.stop();
      this.run();
    }
    this.touch();
  };

  private keep(): void {
    const kept: Kept = { folder: this.folder, picked: this.picked, swarm: this.shown?.model.name ?? '' };
    this.state?.save(KEY, { ...kept }).catch(() => undefined);
  }

  private readonly touch = (): void => {
    this.version += 1;
    this.signal.emit();
  };
}

interface Kept {
  folder: string;
  picked: boolean;
  swarm: string;
}
