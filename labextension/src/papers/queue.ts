import type { Additions, Problem } from '../words';

/** How far one of several papers has come. */
export interface Item {
  id: number;
  label: string;
  state: 'waiting' | 'sending' | 'reading' | 'added' | 'known' | 'refused';
  /** Of the file's bytes that are sent, from 0 to 1. */
  share: number;
  /** Papers that came of it. */
  titles: string[];
  problems: Problem[];
}

/** Sends or names papers: told how much is sent, ends with what came of it. */
export type Work = (sent: (share: number) => void) => Promise<Additions>;

/** How many are under way at once; reading a PDF keeps a core of the server busy. */
const AT_ONCE = 2;

/** Papers that are being added, each with its own progress and outcome. One that fails does not end the others. */
export class Queue {
  /** Another array whenever something changed. */
  items: readonly Item[] = [];
  private readonly waiting: { id: number; work: Work }[] = [];
  private readonly listeners = new Set<() => void>();
  private running = 0;
  private last = 0;

  /** @param problemOf what an error means
   *  @param settled called whenever one has ended, so that the library can be read again */
  constructor(
    private readonly problemOf: (error: unknown) => Problem,
    private readonly settled: () => void
  ) {}

  /** Be told of changes; what is returned ends it. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };

  /** Add one to those that wait. `sends` is whether bytes travel first. */
  push(label: string, work: Work, sends = false): void {
    const id = ++this.last;
    const item: Item = { id, label, state: 'waiting', share: sends ? 0 : 1, titles: [], problems: [] };
    this.items = [...this.items, item];
    this.waiting.push({ id, work });
    this.tell();
    this.next();
  }

  /** One that is refused before anything was sent. */
  refuse(label: string, problem: Problem): void {
    const id = ++this.last;
    this.items = [...this.items, { id, label, state: 'refused', share: 0, titles: [], problems: [problem] }];
    this.tell();
  }

  /** Take those away that have ended. */
  clear(): void {
    this.items = this.items.filter(item => ['waiting', 'sending', 'reading'].includes(item.state));
    this.tell();
  }

  private next(): void {
    while (this.running < AT_ONCE) {
      const job = this.waiting.shift();
      if (!job) {
        return;
      }
      this.running++;
      void this.run(job.id, job.work);
    }
  }

  private async run(id: number, work: Work): Promise<void> {
    const sending = this.items.some(item => item.id === id && item.share < 1);
    this.set(id, { state: sending ? 'sending' : 'reading' });
    try {
      this.set(
        id,
        outcome(
          await work(share => {
            this.set(id, { share, state: share < 1 ? 'sending' : 'reading' });
          })
        )
      );
    } catch (error) {
      this.set(id, { state: 'refused', problems: [this.problemOf(error)] });
    } finally {
      this.running--;
      this.settled();
      this.next();
    }
  }

  private set(id: number, change: Partial<Item>): void {
    this.items = this.items.map(item => (item.id === id ? { ...item, ...change } : item));
    this.tell();
  }

  private tell(): void {
    this.listeners.forEach(listener => {
      listener();
    });
  }
}

function outcome({ added, problems }: Additions): Partial<Item> {
  const state = added.length === 0 ? 'refused' : added.some(each => each.new) ? 'added' : 'known';
  return { state, problems, titles: added.map(each => each.title) };
}

/** A path without JupyterLab's drive ("RTC:"). A colon in a name ("Deep learning: a review.pdf") tells of no drive. */
export function localPath(path: string): string {
  return path.replace(/^[^/:\s]+:(?!\s)/, '');
}

/**
 * A file of JupyterLab's browser as a source: relative to the workspace's folder; null where it lies elsewhere.
 *
 *     sourceOf('nb/papers/a.pdf', 'nb')  // 'papers/a.pdf'
 */
export function sourceOf(path: string, folder: string): string | null {
  const local = localPath(path);
  if (folder === '') {
    return local;
  }
  return local.startsWith(`${folder}/`) ? local.slice(folder.length + 1) : null;
}
