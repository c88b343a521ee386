import type { ReactElement } from 'react';

import type { Host } from '../../host';
import { usePart, type SwarmModel } from '../../model';
import { Ask, Asked, Button, cut, duration, number, useTrans } from '../../parts';
import type { Steering } from '../../steering';
import type * as W from '../../words';
import { Standing } from './AgentChip';
import { runningOf } from './lanes';

/** An agent, closer. */
export interface DetailProps {
  agent: W.Agent;
  model: SwarmModel;
  steering: Steering;
  host: Host;
  why: string | undefined;
  /** Why it in particular cannot be dismissed. */
  kept: string | undefined;
}

/** Record, cost and present work of an agent; dismissing it. */
export function AgentDetail({ agent, model, steering, host, why, kept }: DetailProps): ReactElement {
  const trans = useTrans();
  const { id, standing } = agent;
  return (
    <section className="jp-Swarm-agent-detail" aria-label={trans.__('Agent %1', cut(id, 60))}>
      <h4>
        {cut(id, 60)} <Standing standing={standing} />
      </h4>
      {agent.why && <p>{cut(agent.why, 600)}</p>}
      <Record agent={agent} />
      <Work agent={agent} model={model} host={host} />
      <div className="jp-Swarm-buttons">
        <Button
          onPress={() => {
            host.goTo('runs', `agent:${id}`);
          }}
        >
          {trans.__('All its runs')}
        </Button>
        {standing !== 'dismissed' && (
          <Ask
            label={trans.__('Dismiss')}
            question={trans.__('Give %1 no more work?', cut(id, 60))}
            yes={trans.__('Dismiss')}
            why={why ?? kept}
            onYes={() => {
              steering.ask('dismiss', id).catch(() => undefined);
            }}
          />
        )}
      </div>
      <Asked model={model} steering={steering} verbs={['dismiss']} target={id} />
    </section>
  );
}

function Record({ agent }: { agent: W.Agent }): ReactElement {
  const trans = useTrans();
  const { mind, parent, proposed, supported, refuted, open, failures, tasks, seconds, calls, tokens } = agent;
  const rows: [string, string][] = [
    [trans.__('Mind'), cut(mind, 80)],
    [trans.__('Ideas'), trans.__('%1, of them %2 supported, %3 refuted, %4 open', proposed, supported, refuted, open)],
    [
      trans.__('Promise'),
      trans.__('%1, the estimated chance that an idea of it is supported', number(agent.promise, 2))
    ],
    [trans.__('Failed runs'), String(failures)],
    [trans.__('Tasks'), trans.__('%1 in %2', tasks, duration(seconds))]
  ];
  if (parent) {
    rows.push([trans.__('Goes on from'), cut(parent, 80)]);
  }
  if (calls) {
    rows.push([trans.__('Model'), trans.__('%1 calls, %2 tokens', calls.toLocaleString(), tokens.toLocaleString())]);
  }
  return (
    <dl className="jp-Swarm-record">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Work({ agent, model, host }: Pick<DetailProps, 'agent' | 'model' | 'host'>): ReactElement {
  const trans = useTrans();
  const rows = usePart(model, 'runs', each => runningOf(each.runs, agent.id, agent.running));
  if (!rows.length) {
    return <p>{trans.__('Runs nothing now.')}</p>;
  }
  return (
    <ul className="jp-Swarm-work">
      {rows.map(row => {
        const number = model.runs.number[row] ?? 0;
        return (
          <li key={number}>
            <Button
              kind="link"
              name={trans.__('Run #%1', number)}
              onPress={() => {
                host.goTo('runs', `number:${number}`);
              }}
            >
              {`#${number}`}
            </Button>{' '}
            {cut(model.runs.title[row] ?? '', 160)}
          </li>
        );
      })}
    </ul>
  );
}
