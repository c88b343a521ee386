import { useMemo, useState, type ReactElement } from 'react';

import type { Host } from '../host';
import { Button, cut, Failure, Loading, More, useLoad, useTrans } from '../parts';
import type * as W from '../words';
import { byCiting, type Citing, type Span } from './text';

/** What cites a paper that is listed at once, and passages of each. */
const STEP = 20;
const PASSAGES = 12;

/** Where a paper is cited, asked for. */
export function Uses({
  host,
  folder,
  paper,
  onPassage
}: {
  host: Host;
  folder: string;
  paper: string;
  onPassage: (span: Span) => void;
}): ReactElement {
  const trans = useTrans();
  const found = useLoad(`${folder}/${paper}`, () => host.api.text(folder, paper, 0, 1));
  if (found.problem) {
    return <Failure problem={found.problem} retry={found.again} />;
  }
  if (!found.value) {
    return <Loading what={trans.__('its citations')} retry={found.again} />;
  }
  return <UseList uses={found.value.uses} host={host} folder={folder} onPassage={onPassage} />;
}

/** Directions and hypotheses that cite a paper; the way to each, and to what it cites. */
export function UseList({
  uses,
  host,
  folder,
  onPassage
}: {
  uses: W.Use[];
  host: Host;
  folder: string;
  onPassage: (span: Span) => void;
}): ReactElement {
  const trans = useTrans();
  const [shown, setShown] = useState(STEP);
  const citing = useMemo(() => byCiting(uses), [uses]);
  if (citing.length === 0) {
    return <p className="jp-Swarm-soft">{trans.__('Nothing cites it yet.')}</p>;
  }
  return (
    <details open>
      <summary>{trans._n('Cited by %1', 'Cited by %1', citing.length)}</summary>
      <ul>
        {citing.slice(0, shown).map(each => (
          <li key={`${each.swarm}/${each.kind}/${each.id}`}>
            <One citing={each} host={host} folder={folder} onPassage={onPassage} />
          </li>
        ))}
      </ul>
      <More
        shown={shown}
        all={citing.length}
        step={STEP}
        onMore={() => {
          setShown(shown + STEP);
        }}
      />
    </details>
  );
}

function One({
  citing,
  host,
  folder,
  onPassage
}: {
  citing: Citing;
  host: Host;
  folder: string;
  onPassage: (span: Span) => void;
}): ReactElement {
  const trans = useTrans();
  const { swarm, kind, id, what, spans } = citing;
  return (
    <>
      <Button
        kind="link"
        onPress={() => {
          host.show(swarm, folder);
          host.goTo(kind === 'direction' ? 'directions' : 'findings', id);
        }}
      >
        {cut(id, 40)}
      </Button>
      <span className="jp-Swarm-soft">{cut(swarm, 60)}</span>
      <p>{cut(what, 160)}</p>
      <p className="jp-Swarm-bar">
        {trans.__('Passages')}
        {spans.slice(0, PASSAGES).map((span, place) => (
          <Button
            key={`${span.start}-${span.end}`}
            name={trans.__('Passage %1 that %2 cites', place + 1, cut(id, 40))}
            onPress={() => {
              onPassage(span);
            }}
          >
            {place + 1}
          </Button>
        ))}
      </p>
    </>
  );
}
