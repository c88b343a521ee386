import { useMemo, useState, type ReactElement } from 'react';

import type { Host } from '../host';
import { usePart, type SwarmModel } from '../model';
import { Badge, cut, Empty, moment, More, useTrans, type Kind } from '../parts';
import type { Steering } from '../steering';
import { entriesOf, type Entry } from './log/entries';
import { Ledger } from './log/Ledger';

/** Lines that are drawn at first, and more with each press. */
const STEP = 200;
const KINDS: Readonly<Record<string, Kind>> = { error: 'bad', warning: 'warning' };

/** What every section is given. */
interface Props {
  model: SwarmModel;
  steering: Steering;
  host: Host;
  argument?: string;
}

/** What happened, in lines for people, the newest first; or everything that the ledger has. */
export function Log({ model, host }: Props): ReactElement {
  const trans = useTrans();
  const [whole, setWhole] = useState(false);
  const [grave, setGrave] = useState(false);
  return (
    <div className="jp-Swarm-log">
      <div className="jp-Swarm-buttons">
        <Switch label={trans.__('Everything in the ledger')} on={whole} onChange={setWhole} />
        {!whole && <Switch label={trans.__('Warnings and errors only')} on={grave} onChange={setGrave} />}
      </div>
      {whole ? (
        <Ledger model={model} host={host} />
      ) : (
        <Lines
          model={model}
          grave={grave}
          onWhole={() => {
            setWhole(true);
          }}
        />
      )}
    </div>
  );
}

function Switch({
  label,
  on,
  onChange
}: {
  label: string;
  on: boolean;
  onChange: (on: boolean) => void;
}): ReactElement {
  return (
    <label className="jp-Swarm-switch">
      <input
        type="checkbox"
        role="switch"
        checked={on}
        onChange={event => {
          onChange(event.target.checked);
        }}
      />
      {label}
    </label>
  );
}

interface LinesProps {
  model: SwarmModel;
  grave: boolean;
  onWhole: () => void;
}

function Lines({ model, grave, onWhole }: LinesProps): ReactElement {
  const trans = useTrans();
  const log = usePart(model, 'log', each => each.log);
  const answers = usePart(model, 'log', each => each.answers);
  const all = useMemo(() => entriesOf(log, answers), [log, answers]);
  const [pages, setPages] = useState(1);
  const entries = grave ? all.filter(each => each.level !== 'info') : all;
  const shown = Math.min(entries.length, STEP * pages);
  if (!entries.length) {
    return (
      <Empty
        title={grave ? trans.__('No warning and no error') : trans.__('Nothing has been noted yet')}
        next={trans.__('What is out of the ordinary stands here, and what you ask for. The ledger has everything.')}
        action={{ label: trans.__('Show everything in the ledger'), run: onWhole }}
      />
    );
  }
  return (
    <>
      <ol className="jp-Swarm-lines" aria-label={trans.__('The log, newest first')}>
        {entries.slice(0, shown).map(entry => (
          <LogLine key={entry.number} entry={entry} now={model.now()} />
        ))}
      </ol>
      <More
        shown={shown}
        all={entries.length}
        step={STEP}
        onMore={() => {
          setPages(before => before + 1);
        }}
      />
    </>
  );
}

function LogLine({ entry, now }: { entry: Entry; now: number }): ReactElement {
  const trans = useTrans();
  const { level, line, waiting } = entry;
  const words: Readonly<Record<string, string>> = { error: trans.__('error'), warning: trans.__('warning') };
  const word = words[level];
  const asked = [waiting?.verb, waiting?.target, waiting?.value].filter(each => each !== undefined && each !== null);
  return (
    <li data-level={level}>
      {line && <time dateTime={new Date(1000 * line.at).toISOString()}>{moment(line.at, now)}</time>}{' '}
      {word && <Badge kind={KINDS[level] ?? 'plain'} word={word} />}{' '}
      <span>
        {line ? cut(line.text, 1000) : trans.__('You asked, not answered yet: %1', cut(asked.join(' '), 300))}
      </span>
    </li>
  );
}
