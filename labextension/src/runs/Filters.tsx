import type { TranslationBundle } from '@jupyterlab/translation';
import { useState, type ReactElement } from 'react';

import { type SwarmModel, usePart } from '../model';
import { Button, cut, useTrans } from '../parts';
import { purposeOf, stateOf } from './columns';
import { Choice } from './fields';
import { EVERYTHING, type Filter, isEverything } from './filter';

/** Letters of a direction's title in a list. */
const LETTERS = 50;
const REASONS = [
  'failure', 'timeout', 'missing', 'nonfinite', 'bounds', 'pruned', 'locked', 'refused', 'stopped', 'lost'
]; // prettier-ignore
const PURPOSES = ['baseline', 'screening', 'confirmation', 'replication', 'best', 'front', 'holdout'];

/** Which runs the table shows: words, and direction, agent, state and purpose. */
export function Filters({
  model,
  filter,
  onFilter
}: {
  model: SwarmModel;
  filter: Filter;
  onFilter: (filter: Filter) => void;
}): ReactElement {
  const trans = useTrans();
  const [more, setMore] = useState(false);
  const folded = filter.direction || filter.agent || filter.state || filter.purpose || filter.hypothesis;
  const open = more || Boolean(folded);
  return (
    <div className="jp-Swarm-filters" role="search" aria-label={trans.__('Filter of the runs')}>
      <input
        type="search"
        placeholder={trans.__('Words in a run')}
        aria-label={trans.__('Words in a run')}
        value={filter.text}
        maxLength={200}
        onChange={event => {
          onFilter({ ...filter, text: event.target.value });
        }}
      />
      <Button
        expanded={open}
        onPress={() => {
          setMore(!open);
        }}
      >
        {trans.__('Filter')}
      </Button>
      <Button
        why={isEverything(filter) ? trans.__('All runs are shown') : undefined}
        onPress={() => {
          onFilter(EVERYTHING);
        }}
      >
        {trans.__('Show all')}
      </Button>
      {open && <Choices model={model} filter={filter} onFilter={onFilter} />}
    </div>
  );
}

interface ChoicesProps {
  model: SwarmModel;
  filter: Filter;
  onFilter: (filter: Filter) => void;
}

function Choices({ model, filter, onFilter }: ChoicesProps): ReactElement {
  const trans = useTrans();
  const directions = usePart(model, 'directions', each => each.directions);
  const agents = usePart(model, 'agents', each => each.agents);
  const set = (key: 'direction' | 'agent' | 'state' | 'purpose') => (value: string) => {
    onFilter({ ...filter, [key]: value });
  };
  return (
    <div className="jp-Swarm-choices">
      <Choice
        label={trans.__('Direction')}
        all={trans.__('all')}
        value={filter.direction}
        options={directions.map(each => ({ value: each.id, label: `${each.id} ${cut(each.title, LETTERS)}` }))}
        onChange={set('direction')}
      />
      <Choice
        label={trans.__('Agent')}
        all={trans.__('all')}
        value={filter.agent}
        options={agents.map(each => ({ value: each.id, label: `${each.id} (${cut(each.role, 20)})` }))}
        onChange={set('agent')}
      />
      <Choice
        label={trans.__('State')}
        all={trans.__('all')}
        value={filter.state}
        options={states(trans)}
        onChange={set('state')}
      />
      <Choice
        label={trans.__('Purpose')}
        all={trans.__('all')}
        value={filter.purpose}
        options={PURPOSES.map(value => ({ value, label: purposeOf(trans, value) }))}
        onChange={set('purpose')}
      />
      {filter.hypothesis && <span>{trans.__('Hypothesis %1 alone', cut(filter.hypothesis, 40))}</span>}
    </div>
  );
}

function states(trans: TranslationBundle): { value: string; label: string }[] {
  return ['ok', 'running', 'none', ...REASONS].map(value => ({ value, label: stateOf(trans, value) }));
}
