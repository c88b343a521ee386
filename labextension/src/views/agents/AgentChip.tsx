import { memo, type ReactElement } from 'react';

import { Badge, cut, number, useTrans, type Kind } from '../../parts';
import type * as W from '../../words';

const KINDS: Readonly<Record<string, Kind>> = { active: 'good', probation: 'open', plan: 'warning', dismissed: 'bad' };

/** How an agent stands, in a word. */
export function Standing({ standing }: { standing: string }): ReactElement {
  const trans = useTrans();
  const words: Readonly<Record<string, string>> = {
    active: trans.__('active'),
    probation: trans.__('on probation'),
    plan: trans.__('on a plan'),
    dismissed: trans.__('dismissed')
  };
  return <Badge kind={KINDS[standing] ?? 'plain'} word={words[standing] ?? cut(standing, 40)} />;
}

/** An agent, small: who it is, how it stands, what its ideas came to, whether it runs something now. */
export const AgentChip = memo(function AgentChip({ agent, open, onOpen }: ChipProps): ReactElement {
  const trans = useTrans();
  const { id, mind, standing, supported, refuted, open: undecided, promise, running } = agent;
  return (
    <li className="jp-Swarm-agent">
      <button
        type="button"
        className="jp-Swarm-agent-button"
        data-standing={standing}
        aria-expanded={open}
        onClick={() => {
          onOpen(id);
        }}
      >
        <span className="jp-Swarm-agent-name">{cut(id, 60)}</span>
        <Standing standing={standing} />
        <span>{cut(mind, 60)}</span>
        <span title={trans.__('supported, refuted, open')}>
          {trans.__('✓ %1 ✗ %2 ○ %3', supported, refuted, undecided)}
          <span className="jp-Swarm-hidden">{trans.__('supported, refuted, open')}</span>
        </span>
        <span>{trans.__('promise %1', number(promise, 2))}</span>
        {running > 0 && <span>{trans._n('▶ %1 run now', '▶ %1 runs now', running)}</span>}
      </button>
    </li>
  );
});

/** An agent, whether its detail is shown, and how to show it. */
export interface ChipProps {
  agent: W.Agent;
  open: boolean;
  onOpen: (id: string) => void;
}
