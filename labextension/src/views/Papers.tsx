import { useEffect, useState, useSyncExternalStore, type ReactElement } from 'react';

import type { Host } from '../host';
import { Button, cut, Empty, Failure, Loading, useLoad, useTrans } from '../parts';
import { shelfOf } from '../papers/adding';
import { Adding, Progresses } from '../papers/AddingView';
import { passageOf } from '../papers/text';
import { Uses } from '../papers/Uses';
import type * as W from '../words';
import { openReader } from './Reader';

/** The workspace's library: what is in it, what is found in it, and what comes to it. `argument`: "PAPER@start-end". */
export function Papers({
  folder,
  host,
  argument = ''
}: {
  folder: string;
  host: Host;
  argument?: string | undefined;
}): ReactElement {
  const trans = useTrans();
  const { queue } = shelfOf(host, folder);
  useSyncExternalStore(queue.subscribe, () => queue.items);
  const { turn } = shelfOf(host, folder);
  const listed = useLoad(`${folder}#${turn}`, () => host.api.papers(folder));
  const about = useLoad(folder, () => host.api.about(folder));
  const most = about.value?.limits.upload_bytes ?? 0;
  const [library, setLibrary] = useState<W.Papers | null>(null);
  if (listed.value && listed.value !== library) {
    setLibrary(listed.value);
  }
  useEffect(() => {
    const passage = passageOf(argument);
    if (passage) {
      openReader(host, folder, passage);
      // The link has been followed, so that the same one can be followed again.
      host.goTo('papers');
    }
  }, [argument, folder, host]);
  return (
    <div className="jp-Swarm-papers">
      <Adding host={host} folder={folder} most={most} />
      <Progresses queue={queue} />
      <Search host={host} folder={folder} />
      {listed.problem && <Failure problem={listed.problem} retry={listed.again} />}
      {listed.busy && !library && <Loading what={trans.__('the library')} retry={listed.again} />}
      {library && <Library library={library} host={host} folder={folder} />}
    </div>
  );
}

function Search({ host, folder }: { host: Host; folder: string }): ReactElement {
  const trans = useTrans();
  const [words, setWords] = useState('');
  const [asked, setAsked] = useState('');
  const found = useLoad(asked ? `${folder}/${asked}` : null, () => host.api.searchPapers(folder, asked));
  return (
    <section aria-label={trans.__('Search the papers')}>
      <form
        role="search"
        onSubmit={event => {
          event.preventDefault();
          setAsked(words.trim());
        }}
      >
        <input
          type="search"
          aria-label={trans.__('What to look for in the papers')}
          placeholder={trans.__('What to look for in the papers')}
          value={words}
          maxLength={1000}
          onChange={event => {
            setWords(event.target.value);
            if (event.target.value === '') {
              setAsked('');
            }
          }}
        />
        <button type="submit" className="jp-Swarm-button">
          {trans.__('Search')}
        </button>
      </form>
      {found.busy && <Loading what={trans.__('the search')} retry={found.again} />}
      {found.problem && <Failure problem={found.problem} retry={found.again} />}
      {found.value && <Found hits={found.value.hits} host={host} folder={folder} />}
    </section>
  );
}

function Found({ hits, host, folder }: { hits: W.Hit[]; host: Host; folder: string }): ReactElement {
  const trans = useTrans();
  return (
    <>
      <p role="status">{trans._n('%1 passage found', '%1 passages found', hits.length)}</p>
      <ol className="jp-Swarm-hits">
        {hits.map(hit => (
          <li key={`${hit.paper}@${hit.start}`}>
            <Button
              kind="link"
              name={trans.__('Open %1 at this passage', cut(hit.title, 120))}
              onPress={() => {
                openReader(host, folder, hit, hit.title);
              }}
            >
              {cut(hit.title, 120)}
              {hit.place && `, ${cut(hit.place, 60)}`}
            </Button>
            <p>{cut(hit.text, 300)}</p>
          </li>
        ))}
      </ol>
    </>
  );
}

function Library({ library, host, folder }: { library: W.Papers; host: Host; folder: string }): ReactElement {
  const trans = useTrans();
  const { papers, note } = library;
  if (papers.length === 0) {
    return (
      <Empty
        title={trans.__('No papers yet')}
        next={trans.__(
          'Add papers that bear on your question: agents look there for what is worth trying, and cite it.'
        )}
      />
    );
  }
  return (
    <section aria-label={trans.__('Library')}>
      <h3>{trans._n('%1 paper', '%1 papers', papers.length)}</h3>
      {note && <p className="jp-Swarm-soft">{cut(note, 400)}</p>}
      <ul className="jp-Swarm-library">
        {papers.map(paper => (
          <li key={paper.paper}>
            <Entry paper={paper} host={host} folder={folder} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function Entry({ paper, host, folder }: { paper: W.Paper; host: Host; folder: string }): ReactElement {
  const trans = useTrans();
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button
        kind="link"
        onPress={() => {
          openReader(host, folder, { paper: paper.paper, start: 0, end: 0 }, paper.title);
        }}
      >
        {cut(paper.title || paper.source, 200)}
      </Button>
      <p className="jp-Swarm-soft">
        {cut(paper.source, 120)} {cut(paper.version, 40)} {trans._n('%1 passage', '%1 passages', paper.passages)}
      </p>
      {paper.cited > 0 && (
        <Button
          expanded={open}
          onPress={() => {
            setOpen(!open);
          }}
        >
          {trans._n('Cited once', 'Cited %1 times', paper.cited)}
        </Button>
      )}
      {open && (
        <Uses
          host={host}
          folder={folder}
          paper={paper.paper}
          onPassage={span => {
            openReader(host, folder, { paper: paper.paper, ...span }, paper.title);
          }}
        />
      )}
    </>
  );
}
