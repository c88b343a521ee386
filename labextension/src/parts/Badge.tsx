import type { ReactElement } from 'react';

/** What a badge means; each has a sign of its own beside its colour. */
export type Kind = 'good' | 'bad' | 'open' | 'busy' | 'warning' | 'plain';

const SIGNS: Readonly<Record<Kind, string>> = { good: '✓', bad: '✗', open: '○', busy: '◔', warning: '!', plain: '' };

/** A state in a word, with its sign and colour. */
export function Badge({ kind, word, title }: { kind: Kind; word: string; title?: string }): ReactElement {
  return (
    <span className="jp-Swarm-badge" data-kind={kind} title={title}>
      {SIGNS[kind] && (
        <span aria-hidden="true" className="jp-Swarm-badge-sign">
          {SIGNS[kind]}
        </span>
      )}
      {word}
    </span>
  );
}
