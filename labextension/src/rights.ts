import { type ISignal, Signal } from '@lumino/signaling';

import type { Api } from './api';
import { problemOf } from './problem';
import type * as W from './words';

/** Seconds between two questions, while the server is away. */
const AGAIN = 10;

/** What the server says of itself, and what this user may do in a folder. */
export class Rights {
  about: W.About | null = null;
  private turn = 0;
  private readonly signal = new Signal<this, void>(this);

  constructor(private readonly api: Api) {}

  get changed(): ISignal<this, void> {
    return this.signal;
  }

  /** Whether this user may ask for changes, and start processes; neither before the server has said so. */
  get may(): { write: boolean; execute: boolean } {
    const { about } = this;
    const open = about !== null && !about.limits.read_only;
    return { write: open && about.writes, execute: open && about.executes };
  }

  /** Ask about a folder; again and again until the server says, or another folder is asked about. */
  async learn(folder: string): Promise<void> {
    const turn = ++this.turn;
    this.about = null;
    while (turn === this.turn) {
      try {
        const about = await this.api.about(folder);
        this.learned(turn, about);
        return;
      } catch (error) {
        const wait = Math.max(AGAIN, problemOf(error).retryAfter);
        await new Promise(resolve => setTimeout(resolve, wait * 1000));
      }
    }
  }

  private learned(turn: number, about: W.About): void {
    if (turn === this.turn) {
      this.about = about;
      this.signal.emit();
    }
  }
}
