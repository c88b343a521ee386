import { useCallback, useRef, useState, type ReactElement } from 'react';

import type { Host } from '../host';
import { Badge, Button, cut, Progress, useTrans } from '../parts';
import { addFiles, addPaths, addSource } from './adding';
import type { Item, Queue } from './queue';
import { useDrop } from './useDrop';

/** Add papers: by path, by choosing files, by dropping them. */
export function Adding({ host, folder, most }: { host: Host; folder: string; most: number }): ReactElement {
  const trans = useTrans();
  const [source, setSource] = useState('');
  const chooser = useRef<HTMLInputElement>(null);
  const why = host.may.execute ? undefined : trans.__('You may read papers here, and not add any');
  const files = useCallback(
    (found: File[]) => {
      addFiles(host, folder, found, most);
    },
    [host, folder, most]
  );
  const paths = useCallback(
    (found: string[]) => {
      addPaths(host, folder, found);
    },
    [host, folder]
  );
  const place = useRef<HTMLElement>(null);
  const over = useDrop(place, why === undefined, files, paths);
  return (
    <section ref={place} className="jp-Swarm-drop" data-over={over} aria-label={trans.__('Add papers')}>
      <form
        onSubmit={event => {
          event.preventDefault();
          if (why === undefined && source.trim()) {
            addSource(host, folder, source.trim());
            setSource('');
          }
        }}
      >
        <label>
          {trans.__('Add by path, pattern or module:NAME')}
          <input
            type="text"
            value={source}
            maxLength={1000}
            placeholder="papers/*.pdf"
            disabled={why !== undefined}
            title={why}
            onChange={event => {
              setSource(event.target.value);
            }}
          />
        </label>
        <button type="submit" className="jp-Swarm-button" aria-disabled={why ? true : undefined} title={why}>
          {trans.__('Add')}
        </button>
      </form>
      <p>
        <Button why={why} onPress={() => chooser.current?.click()}>
          {trans.__('Choose files')}
        </Button>{' '}
        {why ?? trans.__('or drop them here, from the desktop or the file browser')}
      </p>
      <input
        ref={chooser}
        type="file"
        multiple
        hidden
        onChange={event => {
          files(Array.from(event.target.files ?? []));
          event.target.value = '';
        }}
      />
    </section>
  );
}

/** Each paper that is on its way, and what came of those that have ended. */
export function Progresses({ queue }: { queue: Queue }): ReactElement {
  const trans = useTrans();
  const { items } = queue;
  const ended = items.filter(item => ['added', 'known', 'refused'].includes(item.state));
  return (
    <div className="jp-Swarm-adding">
      <p role="status" className={items.length ? 'jp-Swarm-soft' : 'jp-Swarm-hidden'}>
        {items.length > 0 && trans.__('%1 of %2 papers are done', ended.length, items.length)}
      </p>
      {items.length > 0 && (
        <ul>
          {items.map(item => (
            <li key={item.id}>
              <Progressing item={item} />
            </li>
          ))}
        </ul>
      )}
      {ended.length > 0 && (
        <Button
          onPress={() => {
            queue.clear();
          }}
        >
          {trans.__('Clear what is done')}
        </Button>
      )}
    </div>
  );
}

function Progressing({ item }: { item: Item }): ReactElement {
  const trans = useTrans();
  const label = cut(item.label, 120);
  switch (item.state) {
    case 'sending':
      return (
        <Progress
          label={label}
          value={item.share}
          max={1}
          words={trans.__('%1 % sent', Math.round(100 * item.share))}
        />
      );
    case 'waiting':
      return <Progress label={label} value={0} max={null} words={trans.__('waits for its turn')} />;
    case 'reading':
      return <Progress label={label} value={0} max={null} words={trans.__('is being read …')} />;
    default:
      return <Outcome item={item} label={label} />;
  }
}

function Outcome({ item, label }: { item: Item; label: string }): ReactElement {
  const trans = useTrans();
  const words = { added: trans.__('added'), known: trans.__('was there already'), refused: trans.__('refused') };
  const kind = item.state === 'refused' ? 'bad' : 'good';
  return (
    <>
      {label} <Badge kind={kind} word={words[item.state as keyof typeof words]} />
      {item.titles.slice(0, 5).map((title, place) => (
        <p key={place} className="jp-Swarm-soft">
          {cut(title, 200)}
        </p>
      ))}
      {item.problems.map((problem, place) => (
        <p key={place} className="jp-Swarm-message">
          {cut(problem.cure ? `${problem.message} (${problem.cure})` : problem.message, 600)}
        </p>
      ))}
    </>
  );
}
