import { useMemo, useState, type ReactElement } from 'react';

import type { Host } from '../host';
import { usePart, type SwarmModel } from '../model';
import { Button, cut, Empty, Loading, useTrans, useWhyNot } from '../parts';
import type { Steering } from '../steering';
import { lanes } from './agents/lanes';
import { LaneView } from './agents/LaneView';

/** The mind that needs no model. */
const CLASSICAL = 'classical';

/** What every section is given; `argument` is an agent. */
interface Props {
  model: SwarmModel;
  steering: Steering;
  host: Host;
  argument?: string;
}

/** The subswarms as lanes of agents; hiring. */
export function Agents({ model, steering, host, argument }: Props): ReactElement {
  const trans = useTrans();
  const agents = usePart(model, 'agents', each => each.agents);
  const card = usePart(model, 'card', each => each.card);
  const why = useWhyNot(model, host);
  const roles = Object.keys(card?.roles ?? {})
    .sort()
    .join('\n');
  const all = useMemo(() => lanes(agents, roles ? roles.split('\n') : []), [agents, roles]);
  if (!card) {
    return <Loading what={trans.__('the agents')} />;
  }
  if (!all.length) {
    return (
      <Empty
        title={trans.__('Nobody is hired yet')}
        next={trans.__('The team is hired when the baseline has run once, so that its size fits the budget.')}
      />
    );
  }
  return (
    <div className="jp-Swarm-team">
      <Hire roles={all.map(each => each.role)} minds={[CLASSICAL, ...card.models]} why={why} steering={steering} />
      {all.map(lane => (
        <LaneView key={`${lane.role}/${argument ?? ''}`} {...{ lane, model, steering, host, why }} wanted={argument} />
      ))}
    </div>
  );
}

interface HireProps {
  roles: string[];
  minds: string[];
  why: string | undefined;
  steering: Steering;
}

function Hire({ roles, minds, why, steering }: HireProps): ReactElement {
  const trans = useTrans();
  const [role, setRole] = useState('');
  const [mind, setMind] = useState('');
  const chosen = roles.includes(role) ? role : (roles[0] ?? '');
  const thinks = minds.includes(mind) ? mind : CLASSICAL;
  return (
    <div className="jp-Swarm-hire" role="group" aria-label={trans.__('Hire an agent')}>
      <Choice label={trans.__('Role')} value={chosen} values={roles} why={why} onChoose={setRole} />
      <Choice label={trans.__('Mind')} value={thinks} values={minds} why={why} onChoose={setMind} />
      <Button
        kind="main"
        why={why}
        onPress={() => {
          steering.ask('hire', chosen, thinks).catch(() => undefined);
        }}
      >
        {trans.__('Hire')}
      </Button>
    </div>
  );
}

interface ChoiceProps {
  label: string;
  value: string;
  values: string[];
  why: string | undefined;
  onChoose: (value: string) => void;
}

function Choice({ label, value, values, why, onChoose }: ChoiceProps): ReactElement {
  return (
    <label>
      {label}{' '}
      <select
        className="jp-Swarm-field"
        value={value}
        disabled={why !== undefined}
        title={why}
        onChange={event => {
          onChoose(event.target.value);
        }}
      >
        {values.map(each => (
          <option key={each} value={each}>
            {cut(each, 60)}
          </option>
        ))}
      </select>
    </label>
  );
}
