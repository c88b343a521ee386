import type { ReactElement, ReactNode } from 'react';

import { Badge, cut, useTrans } from '../parts';
import type { Found } from './cell';

/** Rows of a list that are shown at once. */
const SHOWN = 50;
/** Siblings of a callable that are named. */
const NAMED = 6;

/** What was found in the cell, before anything is started. */
export function Plan({ found }: { found: Found }): ReactElement {
  const trans = useTrans();
  const free = found.knobs.length + found.swaps.length + found.inserts.length + found.blocks.length;
  return (
    <section className="jp-Swarm-plan" aria-label={trans.__('What was found in the cell')}>
      {found.question && <p className="jp-Swarm-plan-question">{cut(found.question)}</p>}
      <p>{cut(found.budget, 600)}</p>
      {free === 0 && (
        <p>
          <Badge kind="warning" word={trans.__('Nothing in this cell may vary')} />{' '}
          {trans.__('Mark what may with #: free or #: low..high at the end of its line.')}
        </p>
      )}
      <Leaks found={found} />
      <Group
        title={trans.__('Knobs')}
        what={trans.__('values that may vary')}
        items={found.knobs.map(each => [each.name, `${cut(String(each.value), 60)} · ${each.range}`])}
      />
      <Group
        title={trans.__('Swaps')}
        what={trans.__('what may stand in its place')}
        items={found.swaps.map(each => [each.name, some(each.candidates)])}
      />
      <Group
        title={trans.__('Inserts')}
        what={trans.__('a further step')}
        items={found.inserts.map(each => [each.name, some(each.candidates)])}
      />
      <Group
        title={trans.__('Blocks')}
        what={trans.__('what may be left out')}
        items={found.blocks.map(each => [each.name, each.code])}
      />
      <Group
        title={trans.__('Lock')}
        what={trans.__('what no agent may touch')}
        items={found.locked.map(each => [each.code, each.why])}
      />
      <Group
        title={trans.__('Captures')}
        what={trans.__('taken from the notebook')}
        items={found.captures.map(each => [each.name, each.kind === 'import' ? each.is : sized(each)])}
      />
      <p className="jp-Swarm-soft">{trans.__('It will be kept in %1.', cut(found.folder))}</p>
    </section>
  );
}

function Leaks({ found }: { found: Found }): ReactElement | null {
  const trans = useTrans();
  const said: [string, string][] = [
    ...found.leaks.map((each): [string, string] => [
      trans.__('Line %1: %2.', each.line, cut(each.what)),
      cut(each.cure)
    ]),
    ...found.warnings.map((each): [string, string] => [cut(each), ''])
  ];
  if (!said.length) {
    return null;
  }
  return (
    <ul className="jp-Swarm-careful">
      {said.slice(0, SHOWN).map(([what, cure], place) => (
        <li key={place}>
          <Badge kind="warning" word={trans.__('Careful')} /> {what} {cure}
        </li>
      ))}
    </ul>
  );
}

interface GroupProps {
  title: string;
  what: string;
  items: [string, string][];
}

function Group({ title, what, items }: GroupProps): ReactElement | null {
  const trans = useTrans();
  if (!items.length) {
    return null;
  }
  const row = ([name, says]: [string, string], place: number): ReactNode => (
    <li key={place}>
      <code>{cut(name, 120)}</code> <span>{cut(says, 200)}</span>
    </li>
  );
  return (
    <details className="jp-Swarm-fold" open={items.length <= 8 ? true : undefined}>
      <summary>
        {title} <span className="jp-Swarm-soft">({items.length.toLocaleString()})</span>
        <span className="jp-Swarm-soft">: {what}</span>
      </summary>
      <ul className="jp-Swarm-plain">{items.slice(0, SHOWN).map(row)}</ul>
      {items.length > SHOWN && <p>{trans.__('and %1 more', (items.length - SHOWN).toLocaleString())}</p>}
    </details>
  );
}

function some(candidates: readonly string[]): string {
  const names = candidates.slice(0, NAMED).map(each => each.slice(each.lastIndexOf(':') + 1));
  return names.join(', ') + (candidates.length > NAMED ? ` … (${candidates.length})` : '');
}

function sized({ is, bytes }: { is: string; bytes: number }): string {
  const [amount, unit] = bytes >= 1e6 ? [bytes / 1e6, 'MB'] : bytes >= 1e3 ? [bytes / 1e3, 'kB'] : [bytes, 'B'];
  return `${is}, ${amount < 10 ? amount.toFixed(1).replace(/\.0$/, '') : Math.round(amount)} ${unit}`;
}
