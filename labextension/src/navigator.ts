import { type ISignal, Signal } from '@lumino/signaling';

import type { Section } from './host';
import type { Target } from './start/cell';

/** Which section one panel shows, or that its form "Swarm this cell" is open. */
export class Navigator {
  version = 0;
  section: Section = 'overview';
  argument: string | undefined;
  target: Target | null = null;
  private readonly signal = new Signal<this, void>(this);

  get changed(): ISignal<this, void> {
    return this.signal;
  }

  /** Show a section. */
  goTo(section: Section, argument?: string): void {
    this.section = section;
    this.argument = argument;
    this.begin(null);
  }

  /** Open the form for a cell, or close it. */
  begin(target: Target | null): void {
    if (this.target !== target) {
      this.target?.dispose();
      this.target = target;
    }
    this.version += 1;
    this.signal.emit();
  }
}
