import { useEffect, useMemo, useRef, type ReactElement, type RefObject } from 'react';

import type { Host } from '../host';
import { Button, cut, Failure, Loading, useTrans } from '../parts';
import { aim } from '../papers/reading';
import { type Passage, type Piece, placeOf, sectionsOf, type Section } from '../papers/text';
import { type Open, useReading } from '../papers/useReading';
import { UseList } from '../papers/Uses';
import type * as W from '../words';

/** Open a paper in the main area at a passage; where it is open already, go there. */
export function openReader(host: Host, folder: string, { paper, start, end }: Passage, title = ''): void {
  const key = `paper:${folder}/${paper}`;
  aim(key, { start, end });
  host.openWidget(key, title || host.trans.__('Paper'), () => (
    <Reader host={host} folder={folder} paper={paper} name={key} />
  ));
}

/** A paper's text by its pages or sections, with what is cited of it, and the quotation that is looked for marked. */
export function Reader(props: { host: Host; folder: string; paper: string; name: string }): ReactElement {
  const { host, folder, paper, name } = props;
  const trans = useTrans();
  const open = useReading(host, folder, paper, name);
  const { text, reading } = open;
  if (!text || !reading) {
    return open.problem ? (
      <Failure problem={open.problem} retry={open.again} />
    ) : (
      <Loading what={trans.__('the paper')} retry={open.again} />
    );
  }
  return (
    <div className="jp-Swarm-reader">
      <nav className="jp-Swarm-reader-aside" tabIndex={0} aria-label={trans.__('Of this paper')}>
        <Parts parts={text.parts} name={name} />
        <UseList
          uses={text.uses}
          host={host}
          folder={folder}
          onPassage={span => {
            aim(name, span);
          }}
        />
      </nav>
      <article className="jp-Swarm-reader-text" tabIndex={0} aria-label={cut(text.title, 200)}>
        <h2>{cut(text.title, 300)}</h2>
        <p className="jp-Swarm-soft">{cut(text.source, 200)}</p>
        <Announced open={open} />
        {open.problem && <Failure problem={open.problem} retry={open.again} />}
        {reading.start > 0 && (
          <Button
            why={open.busy ? trans.__('It is on its way') : undefined}
            onPress={() => {
              open.more('before');
            }}
          >
            {trans.__('What comes before')}
          </Button>
        )}
        <Body open={open} />
        {reading.end < text.length ? (
          <Button
            why={open.busy ? trans.__('It is on its way') : undefined}
            onPress={() => {
              open.more('after');
            }}
          >
            {trans.__('Read on (%1 % so far)', Math.floor((100 * reading.end) / text.length))}
          </Button>
        ) : (
          <p className="jp-Swarm-soft">{trans.__('The end of the paper.')}</p>
        )}
      </article>
    </div>
  );
}

/** What a screen reader says when a passage has come. */
function Announced({ open: { text, goal } }: { open: Open }): ReactElement {
  const trans = useTrans();
  const marked = text && goal && goal.end > goal.start;
  const place = marked ? placeOf(text, goal) : '';
  return (
    <p role="status" className="jp-Swarm-soft">
      {marked &&
        (place ? trans.__('The quotation is marked, in %1.', cut(place, 80)) : trans.__('The quotation is marked.'))}
    </p>
  );
}

function Body({ open: { text, reading, goal } }: { open: Open }): ReactElement {
  const mark = useRef<HTMLElement>(null);
  const top = useRef<HTMLDivElement>(null);
  const sections = useMemo(
    () => (text && reading ? sectionsOf(reading, text.parts, text.uses, goal) : []),
    [text, reading, goal]
  );
  useEffect(() => {
    const node = mark.current ?? top.current;
    node?.scrollIntoView({ block: mark.current ? 'center' : 'nearest' });
    node?.focus({ preventScroll: true });
  }, [text]);
  const first = sections.findIndex(section => section.pieces.some(piece => piece.kind === 'mark'));
  return (
    <div ref={top} tabIndex={-1}>
      {sections.map((section, place) => (
        <SectionView key={section.start} section={section} mark={place === first ? mark : null} />
      ))}
    </div>
  );
}

function SectionView({ section, mark }: { section: Section; mark: RefObject<HTMLElement> | null }): ReactElement {
  const trans = useTrans();
  const { name, continued, pieces } = section;
  const first = pieces.findIndex(piece => piece.kind === 'mark');
  return (
    <section aria-label={cut(name, 120) || undefined}>
      {name && <h3>{continued ? trans.__('%1 (continued)', cut(name, 120)) : cut(name, 120)}</h3>}
      <p>
        {pieces.map((piece, place) => (
          <PieceView key={piece.start} piece={piece} mark={place === first ? mark : null} />
        ))}
      </p>
    </section>
  );
}

function PieceView({ piece, mark }: { piece: Piece; mark: RefObject<HTMLElement> | null }): ReactElement {
  const trans = useTrans();
  switch (piece.kind) {
    case 'mark':
      return (
        <mark ref={mark} tabIndex={-1}>
          {piece.text}
        </mark>
      );
    case 'cited':
      return (
        <span className="jp-Swarm-cited" title={trans.__('Cited by this workspace')}>
          {piece.text}
        </span>
      );
    default:
      return <>{piece.text}</>;
  }
}

function Parts({ parts, name }: { parts: W.Part[]; name: string }): ReactElement | null {
  const trans = useTrans();
  if (parts.length === 0) {
    return null;
  }
  return (
    <details>
      <summary>{trans._n('%1 part', '%1 parts', parts.length)}</summary>
      <ul>
        {parts.map(part => (
          <li key={part.start}>
            <Button
              kind="link"
              onPress={() => {
                aim(name, { start: part.start, end: part.start });
              }}
            >
              {cut(part.name, 80)}
            </Button>
          </li>
        ))}
      </ul>
    </details>
  );
}
