import type { ReactElement } from 'react';

import { cut } from './format';
import { useTrans } from './translation';

/** Characters of code that are drawn. */
const MOST = 60_000;
const SIGNS: Readonly<Record<string, string>> = { '+': 'added', '-': 'removed', '@': 'place' };

/** Code, or a difference as unified lines, to be read; it scrolls by keyboard. */
export function Code({ text, label, diff = false }: { text: string; label: string; diff?: boolean }): ReactElement {
  const trans = useTrans();
  const shown = text.length > MOST ? cut(text, MOST) : text;
  return (
    <>
      <pre className="jp-Swarm-code" tabIndex={0} role="region" aria-label={label}>
        {diff ? shown.split('\n').map((line, index) => <Changed key={index} line={line} />) : shown}
      </pre>
      {text.length > MOST && <p>{trans.__('The beginning of %1 characters.', text.length.toLocaleString())}</p>}
    </>
  );
}

function Changed({ line }: { line: string }): ReactElement {
  const title = line.startsWith('--- ') || line.startsWith('+++ ');
  return <span data-change={title ? 'place' : SIGNS[line.charAt(0)]}>{`${line}\n`}</span>;
}
