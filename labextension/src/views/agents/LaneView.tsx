import { useCallback, useState, type ReactElement } from 'react';

import { Asked, Button, Fold, More, useTrans } from '../../parts';
import type * as W from '../../words';
import { AgentChip } from './AgentChip';
import { AgentDetail, type DetailProps } from './AgentDetail';
import type { Lane } from './lanes';

/** Agents that are drawn at first, and more with each press. */
const STEP = 50;
/** The largest number that the field takes; the runner says what is allowed. */
const MOST = 10_000;

/** A lane, and what its agents need. */
export type LaneProps = Omit<DetailProps, 'agent' | 'kept'> & { lane: Lane; wanted: string | undefined };

/** A subswarm: its record, how large it is, its agents. */
export function LaneView(props: LaneProps): ReactElement {
  const { lane, model, steering, why, wanted } = props;
  const trans = useTrans();
  const { role, working, dismissed, running, supported, refuted, open } = lane;
  return (
    <section className="jp-Swarm-lane" aria-label={role}>
      <h3>{role}</h3>
      <p className="jp-Swarm-lane-record">
        <span>{trans._n('%1 works', '%1 work', working.length)}</span>
        <span>{trans.__('✓ %1 supported', supported)}</span>
        <span>{trans.__('✗ %1 refuted', refuted)}</span>
        <span>{trans.__('○ %1 open', open)}</span>
        {running > 0 && <span>{trans._n('▶ %1 run now', '▶ %1 runs now', running)}</span>}
      </p>
      <Resize
        role={role}
        size={working.length}
        why={why}
        onAsk={size => {
          steering.ask('resize', role, size).catch(() => undefined);
        }}
      />
      <Asked model={model} steering={steering} verbs={['resize', 'hire']} target={role} />
      <Chips {...props} agents={working} />
      {dismissed.length > 0 && (
        <Fold
          summary={trans._n('%1 dismissed', '%1 dismissed', dismissed.length)}
          open={dismissed.some(each => each.id === wanted)}
        >
          {() => <Chips {...props} agents={dismissed} />}
        </Fold>
      )}
    </section>
  );
}

function Chips({ agents, lane, wanted, ...rest }: LaneProps & { agents: W.Agent[] }): ReactElement {
  const trans = useTrans();
  const [pages, setPages] = useState(1);
  const [chosen, setChosen] = useState(wanted ?? '');
  const choose = useCallback((id: string) => {
    setChosen(before => (before === id ? '' : id));
  }, []);
  const detail = agents.find(each => each.id === chosen);
  const shown = Math.max(STEP * pages, agents.findIndex(each => each.id === wanted) + 1);
  const last = lane.working.length === 1 ? trans.__('The last of its role stays: rest directions instead') : undefined;
  return (
    <>
      <ul className="jp-Swarm-agents">
        {agents.slice(0, shown).map(agent => (
          <AgentChip key={agent.id} agent={agent} open={agent.id === chosen} onOpen={choose} />
        ))}
      </ul>
      {detail && <AgentDetail key={detail.id} agent={detail} kept={last} {...rest} />}
      <More
        shown={shown}
        all={agents.length}
        step={STEP}
        onMore={() => {
          setPages(before => before + 1);
        }}
      />
    </>
  );
}

interface ResizeProps {
  role: string;
  size: number;
  why: string | undefined;
  onAsk: (size: number) => void;
}

function Resize({ role, size, why, onAsk }: ResizeProps): ReactElement {
  const trans = useTrans();
  const [typed, setTyped] = useState<string | null>(null);
  const wish = typed === null ? size : Number(typed);
  const wrong =
    Number.isInteger(wish) && wish >= 1 && wish <= MOST ? undefined : trans.__('A whole number from 1 to %1', MOST);
  const same = wish === size ? trans.__('So many work already') : undefined;
  return (
    <form
      className="jp-Swarm-resize"
      onSubmit={event => {
        event.preventDefault();
        if (!why && !wrong && !same) {
          onAsk(wish);
          setTyped(null);
        }
      }}
    >
      <label>
        {trans.__('Agents')}{' '}
        <input
          className="jp-Swarm-field"
          type="number"
          min={1}
          max={MOST}
          value={typed ?? String(size)}
          aria-label={trans.__('Agents of %1', role)}
          aria-invalid={wrong !== undefined}
          disabled={why !== undefined}
          title={why ?? wrong}
          onChange={event => {
            setTyped(event.target.value);
          }}
        />
      </label>
      <Button
        why={why ?? wrong ?? same}
        name={trans.__('Set the number of agents of %1', role)}
        onPress={() => {
          onAsk(wish);
          setTyped(null);
        }}
      >
        {trans.__('Set')}
      </Button>
    </form>
  );
}
