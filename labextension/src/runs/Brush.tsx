import { useMemo, useState, type ReactElement } from 'react';

import { categoryWords, Scatter } from '../charts/Scatter';
import { Button, cut, useTrans } from '../parts';
import { Choice, RangeFields } from './fields';
import type { Filter, Wanted } from './filter';
import { pointsOf, type Points } from './points';
import type { Parameter } from './settings';
import type { RunsNow } from './useRuns';

/** The plot over the table. */
export interface BrushProps {
  now: RunsNow;
  parameters: readonly Parameter[];
  metric: string;
  filter: Filter;
  onFilter: (filter: Filter) => void;
  /** Rows that the table shows; null where it shows all. */
  shown: ReadonlySet<number> | null;
  chosen: ReadonlySet<number>;
  onPick: (row: number) => void;
}

/** A parameter against the metric, with a frame that filters the table: drawn over the plot, or typed below it. */
export function Brush(props: BrushProps): ReactElement | null {
  const { now, parameters, metric, filter, onFilter } = props;
  const trans = useTrans();
  const [name, setName] = useState('');
  const wantedName = filter.parameter?.name ?? name;
  const parameter = parameters.find(each => each.name === wantedName) ?? parameters[0];
  const points = useMemo(() => (parameter ? pointsOf(now.runs, parameter) : null), [now, parameter]);
  if (!parameter || !points) {
    return <p className="jp-Swarm-soft">{trans.__('A plot comes as soon as runs differ in a parameter.')}</p>;
  }
  const brush = (wanted: Wanted | null, value: Filter['value']): void => {
    onFilter({ ...filter, parameter: wanted, value });
  };
  return (
    <div className="jp-Swarm-brush">
      <Choice
        label={trans.__('Parameter')}
        all={null}
        value={parameter.name}
        options={parameters.map(each => ({ value: each.name, label: `${cut(each.name, 60)} (${each.changed})` }))}
        onChange={next => {
          setName(next);
          onFilter({ ...filter, parameter: null });
        }}
      />
      <Scatter
        metric={metric}
        parameter={parameter}
        points={points}
        shown={props.shown}
        chosen={props.chosen}
        wanted={filter.parameter}
        value={filter.value}
        onBrush={brush}
        onPick={props.onPick}
      />
      <Fields parameter={parameter} points={points} metric={metric} filter={filter} brush={brush} />
      {points.left > 0 && (
        <p className="jp-Swarm-soft">
          {trans._n('%1 run has no place on this axis.', '%1 runs have no place on this axis.', points.left)}
        </p>
      )}
    </div>
  );
}

interface FieldsProps {
  parameter: Parameter;
  points: Points;
  metric: string;
  filter: Filter;
  brush: (wanted: Wanted | null, value: Filter['value']) => void;
}

/** The frame by keyboard. */
function Fields({ parameter, points, metric, filter, brush }: FieldsProps): ReactElement {
  const trans = useTrans();
  const wanted = filter.parameter?.name === parameter.name ? filter.parameter : null;
  const { name } = parameter;
  return (
    <div className="jp-Swarm-frame">
      {points.categories ? (
        <Categories
          parameter={parameter}
          categories={points.categories}
          wanted={wanted}
          onWanted={next => {
            brush(next, filter.value);
          }}
        />
      ) : (
        <RangeFields
          name={cut(name, 40)}
          range={wanted?.range ?? null}
          onChange={range => {
            brush(range && { name, range, categories: null }, filter.value);
          }}
        />
      )}
      <RangeFields
        name={cut(metric, 40)}
        range={filter.value}
        onChange={range => {
          brush(filter.parameter, range);
        }}
      />
      <Button
        why={filter.parameter || filter.value ? undefined : trans.__('No frame is drawn')}
        onPress={() => {
          brush(null, null);
        }}
      >
        {trans.__('Clear the frame')}
      </Button>
    </div>
  );
}

function Categories({
  parameter,
  categories,
  wanted,
  onWanted
}: {
  parameter: Parameter;
  categories: readonly string[];
  wanted: Wanted | null;
  onWanted: (wanted: Wanted | null) => void;
}): ReactElement {
  const trans = useTrans();
  const on = wanted?.categories ?? [];
  const toggle = (category: string): void => {
    const next = on.includes(category) ? on.filter(each => each !== category) : [...on, category];
    onWanted(next.length ? { name: parameter.name, range: null, categories: next } : null);
  };
  return (
    <fieldset className="jp-Swarm-categories">
      <legend>{cut(parameter.name, 60)}</legend>
      {categories.map(category => (
        <label key={category}>
          <input
            type="checkbox"
            checked={on.includes(category)}
            onChange={() => {
              toggle(category);
            }}
          />
          {categoryWords(trans, category)}
        </label>
      ))}
    </fieldset>
  );
}
