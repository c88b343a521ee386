import type { ReactElement } from 'react';

import { cut, Fold, Quote, useTrans } from '../../parts';
import type * as W from '../../words';

/** Items of one kind that are drawn; the rest is told by number. */
const MOST = 50;

/** What the literature says to a direction: quotations, sentences over them, and what contradicts what. */
export function Sources({
  direction,
  onOpen
}: {
  direction: W.Direction;
  onOpen: (passage: string) => void;
}): ReactElement {
  const trans = useTrans();
  const { citations, sentences, contradictions } = direction;
  return (
    <>
      {sentences.length > 0 && (
        <Fold summary={trans._n('%1 sentence from the papers', '%1 sentences from the papers', sentences.length)}>
          {() => <Sentences sentences={sentences} onOpen={onOpen} />}
        </Fold>
      )}
      {contradictions.length > 0 && (
        <Fold summary={trans._n('! %1 contradiction', '! %1 contradictions', contradictions.length)}>
          {() => <Sentences sentences={contradictions} onOpen={onOpen} />}
        </Fold>
      )}
      {citations.length > 0 && (
        <Fold summary={trans._n('%1 citation', '%1 citations', citations.length)}>
          {() => <Quotes citations={citations} onOpen={onOpen} />}
        </Fold>
      )}
    </>
  );
}

function Sentences({
  sentences,
  onOpen
}: {
  sentences: W.Sentence[];
  onOpen: (passage: string) => void;
}): ReactElement {
  return (
    <ul className="jp-Swarm-sentences">
      {sentences.slice(0, MOST).map((sentence, index) => (
        <li key={index}>
          {cut(sentence.text, 600)}
          <Quotes citations={sentence.citations} onOpen={onOpen} />
        </li>
      ))}
      <Rest all={sentences.length} />
    </ul>
  );
}

/** Quotations, one below the other. */
export function Quotes({
  citations,
  onOpen
}: {
  citations: W.Citation[];
  onOpen: (passage: string) => void;
}): ReactElement {
  return (
    <>
      {citations.slice(0, MOST).map((citation, index) => (
        <Quote key={index} citation={citation} onOpen={onOpen} />
      ))}
      <Rest all={citations.length} />
    </>
  );
}

function Rest({ all }: { all: number }): ReactElement | null {
  const trans = useTrans();
  return all > MOST ? <p>{trans.__('and %1 more', all - MOST)}</p> : null;
}
