import type { ReactElement } from 'react';

import type * as W from '../words';
import { Button } from './Button';
import { cut } from './format';
import { useTrans } from './translation';

/** Where a quotation stands, as an argument of the papers' section: `PAPER@start-end`. */
export function passageOf(citation: W.Citation): string {
  return `${citation.paper}@${citation.start}-${citation.end}`;
}

/** A quotation with the place it stands at, and the way there. */
export function Quote({ citation, onOpen }: { citation: W.Citation; onOpen: (passage: string) => void }): ReactElement {
  const trans = useTrans();
  const title = cut(citation.title || citation.paper, 120);
  return (
    <figure className="jp-Swarm-quote">
      <blockquote>{cut(citation.quote, 600)}</blockquote>
      <figcaption>
        <span>
          {title}
          {citation.place && `, ${cut(citation.place, 80)}`}
        </span>
        <Button
          kind="link"
          name={trans.__('Open %1 at this passage', title)}
          onPress={() => {
            onOpen(passageOf(citation));
          }}
        >
          {trans.__('Open')}
        </Button>
      </figcaption>
    </figure>
  );
}
