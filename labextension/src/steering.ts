import { UUID } from '@lumino/coreutils';
import { type ISignal, Signal } from '@lumino/signaling';

import { type ApiProblem, problemOf } from './problem';
import type * as W from './words';

/** A request on its way; it leaves the list when the runner has answered, or the person has forgotten it. */
export interface Pending {
  readonly id: string;
  readonly verb: W.Ask['verb'];
  readonly target: string;
  readonly value: NonNullable<W.Ask['value']> | null;
  readonly state: 'sending' | 'taken' | 'not taken';
  readonly problem?: W.Problem;
  /** Of the ledger's record, once it stands there. */
  readonly number?: number;
}

/** Seconds for which a request is sent again by itself. */
export const PATIENCE = 30;

/** What the swarm's own state shows to be done; the runner answers them with nothing else. */
const SHOWN_BY_ITSELF: ReadonlySet<W.Ask['verb']> = new Set(['pause', 'resume', 'stop']);

/** What a person asks of one swarm. Each request has an id, so that one that is sent again is still one request. */
export class Steering {
  pending: readonly Pending[] = [];
  /** How often something was asked for. */
  asked = 0;
  private readonly signal = new Signal<this, void>(this);
  /** Numbers of requests whose answer is shown. */
  private done: ReadonlySet<number> = new Set();
  /** The ledger that was last shown. */
  private ledger = '';

  constructor(
    private readonly send: (ask: W.Ask) => Promise<W.Taken>,
    private readonly patience = PATIENCE
  ) {}

  get changed(): ISignal<this, void> {
    return this.signal;
  }

  /** Ask for something. Fails (with an `ApiProblem`) where it was not taken; `pending` has it then, to be retried. */
  ask(verb: W.Ask['verb'], target = '', value: W.Ask['value'] = null): Promise<W.Taken> {
    const entry: Pending = { id: UUID.uuid4(), verb, target, value: value ?? null, state: 'sending' };
    this.pending = [...this.pending, entry];
    this.asked += 1;
    return this.deliver(entry);
  }

  /** Send one that was not taken once more, under the same id. */
  retry(id: string): void {
    const entry = this.pending.find(each => each.id === id && each.state === 'not taken');
    if (entry) {
      void this.deliver(this.put({ ...bare(entry), state: 'sending' }));
    }
  }

  /** Take one off the list. */
  forget(id: string): void {
    this.pending = this.pending.filter(each => each.id !== id);
    this.signal.emit();
  }

  /** The runner has answered some, as what is shown says, too; what another ledger has taken is answered nowhere. */
  settle(answers: readonly W.Answer[], ledger: string): void {
    const other = this.ledger !== '' && ledger !== this.ledger;
    this.ledger = ledger;
    this.done = new Set(answers.filter(each => each.done !== null).map(each => each.number));
    const left = this.pending.filter(each => each.number === undefined || !(other || this.done.has(each.number)));
    if (left.length < this.pending.length) {
      this.pending = left;
      this.signal.emit();
    }
  }

  private deliver(entry: Pending): Promise<W.Taken> {
    this.signal.emit();
    const sent = this.persist(entry);
    sent.catch(() => undefined); // the list tells of it; who asked may wait for it besides
    return sent;
  }

  private async persist(entry: Pending): Promise<W.Taken> {
    const { id, verb, target, value } = entry;
    const end = Date.now() + this.patience * 1000;
    for (let pause = 0.5; ; pause = Math.min(5, pause * 2)) {
      try {
        const taken = await this.send({ verb, target, value, id });
        this.took(entry, taken);
        return taken;
      } catch (error) {
        const problem = problemOf(error);
        const rest = Math.max(pause, problem.retryAfter) * 1000;
        if (!problem.passing || Date.now() + rest > end) {
          this.refused(entry, problem);
          throw problem;
        }
        await new Promise(resolve => setTimeout(resolve, rest));
      }
    }
  }

  /** The list keeps it until its outcome is shown as well: else what was moved would jump back for a moment. */
  private took(entry: Pending, taken: W.Taken): void {
    if (this.done.has(taken.number) || SHOWN_BY_ITSELF.has(entry.verb)) {
      this.forget(entry.id);
    } else {
      this.put({ ...bare(entry), state: 'taken', number: taken.number });
      this.signal.emit();
    }
  }

  private refused(entry: Pending, problem: ApiProblem): void {
    this.put({ ...bare(entry), state: 'not taken', problem: problem.problem });
    this.signal.emit();
  }

  private put(entry: Pending): Pending {
    this.pending = this.pending.map(each => (each.id === entry.id ? entry : each));
    return entry;
  }
}

function bare({ id, verb, target, value }: Pending): Pick<Pending, 'id' | 'verb' | 'target' | 'value'> {
  return { id, verb, target, value };
}
