import { useState, type ReactElement } from 'react';

import type { Host } from '../../host';
import type { SwarmModel } from '../../model';
import { Button, Code, cut, Empty, Failure, Fold, Loading, moment, useLoad, useTrans } from '../../parts';
import type * as W from '../../words';

/** Records of a page. */
const PAGE = 100;
/** Characters of a record that are drawn. */
const MOST = 50_000;

/** All records of the ledger that are this swarm's, as they are kept, a page at a time, the oldest first. */
export function Ledger({ model, host }: { model: SwarmModel; host: Host }): ReactElement {
  const trans = useTrans();
  const [starts, setStarts] = useState<number[]>([0]);
  const after = starts.at(-1) ?? 0;
  const { folder, name } = model;
  const page = useLoad(`${folder}/${name}/${model.ledger}/${after}`, () => host.api.events(folder, name, after, PAGE));
  const events = page.value?.events ?? [];
  const last = events.at(-1)?.number;
  const more = events.length >= PAGE;
  const go = (start: number): void => {
    setStarts(before => [...before, start]);
  };
  return (
    <div className="jp-Swarm-ledger" aria-busy={page.busy}>
      <div className="jp-Swarm-buttons">
        <Button
          why={starts.length < 2 ? trans.__('This is where you began') : undefined}
          onPress={() => {
            setStarts(before => before.slice(0, -1));
          }}
        >
          {trans.__('Back')}
        </Button>
        <Button
          why={more ? undefined : trans.__('There are no later ones')}
          onPress={() => {
            go(last ?? after);
          }}
        >
          {trans.__('Later ones')}
        </Button>
        <Button
          onPress={() => {
            go(Math.max(0, model.cursor - PAGE));
          }}
        >
          {trans.__('The newest')}
        </Button>
        <Button onPress={page.again}>{trans.__('Read again')}</Button>
        <Start onGo={go} />
      </div>
      {page.problem && <Failure problem={page.problem} retry={page.again} />}
      {!page.value && page.busy && <Loading what={trans.__('the records after %1', after)} />}
      {page.value && !events.length && (
        <Empty title={trans.__('No record after %1', after)} next={trans.__('Go back, or read again in a while.')} />
      )}
      <ol className="jp-Swarm-lines" aria-label={trans.__('Records of the ledger, oldest first')}>
        {events.map(each => (
          <LedgerRecord key={each.number} record={each} now={model.now()} />
        ))}
      </ol>
    </div>
  );
}

function Start({ onGo }: { onGo: (after: number) => void }): ReactElement {
  const trans = useTrans();
  const [typed, setTyped] = useState('');
  return (
    <form
      className="jp-Swarm-resize"
      onSubmit={event => {
        event.preventDefault();
        const number = Number(typed);
        if (typed !== '' && Number.isInteger(number) && number >= 1) {
          onGo(number - 1);
        }
      }}
    >
      <label>
        {trans.__('From record')}{' '}
        <input
          className="jp-Swarm-field"
          type="number"
          min={1}
          value={typed}
          onChange={event => {
            setTyped(event.target.value);
          }}
        />
      </label>
    </form>
  );
}

function LedgerRecord({ record, now }: { record: W.Event; now: number }): ReactElement {
  const trans = useTrans();
  const { number, at, event } = record;
  return (
    <li>
      <Fold
        summary={
          <>
            <span className="jp-Swarm-id">{number}</span> {cut(event.kind, 60)} <time>{moment(at, now)}</time>
          </>
        }
      >
        {() => <Code text={cut(JSON.stringify(event, null, 2), MOST)} label={trans.__('Record %1', number)} />}
      </Fold>
    </li>
  );
}
