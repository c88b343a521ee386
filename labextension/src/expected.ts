import type * as W from './words';

/** Seconds for which a swarm that was started is waited for. */
const PATIENCE = 20;
/**
 * … after which an older one of its name is taken for it, where the cell has run and where it may still: a cell that has
 * not changed goes on with its old swarm.
 */
const OLDER = { ran: 3, runs: 15 };

/** A swarm that was started from a cell and is not listed yet. Times are by this browser's clock. */
export class Expected {
  /** Its name, or that of its family (wine, which may come as wine-2); "" where none is expected. */
  name = '';
  /** Seconds since 1970. */
  since = 0;
  private startedAt = 0;
  private late = false;
  private timer?: ReturnType<typeof setTimeout>;

  /** @param onLate - called when an older namesake would do */
  constructor(private readonly onLate: () => void) {}

  /**
   * Expect this one, and no other.
   *
   * @param startedAt - when it was asked for, in seconds since 1970
   * @param ran - whether the cell has come back, so that a new swarm of it is in the ledger by now
   */
  begin(name: string, startedAt: number, ran: boolean): void {
    this.forget();
    this.name = name;
    this.since = Date.now() / 1000;
    this.startedAt = startedAt;
    this.late = false;
    this.timer = setTimeout(
      () => {
        this.late = true;
        this.onLate();
      },
      (ran ? OLDER.ran : OLDER.runs) * 1000
    );
  }

  forget(): void {
    this.name = '';
    clearTimeout(this.timer);
  }

  /**
   * Which of those listed it is. What has not come in the end is expected no more.
   *
   * @param ahead - seconds by which the server's clock is ahead of this browser's
   */
  among(listed: readonly W.Brief[], ahead: number): W.Brief | undefined {
    if (!this.name) {
      return undefined;
    }
    const namesakes = listed.filter(({ name }) => family(name) === family(this.name));
    const fresh = namesakes.find(({ begun }) => begun >= this.startedAt + ahead);
    const found = fresh ?? (this.late ? namesakes[0] : undefined);
    if (!found && Date.now() / 1000 - this.since > PATIENCE) {
      this.forget();
    }
    return found;
  }
}

/** A name without the number that tells it from its namesakes: wine-2 → wine. */
function family(name: string): string {
  return name.replace(/-\d+$/, '');
}
