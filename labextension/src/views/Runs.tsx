import { useEffect, useMemo, useRef, useState, type ReactElement } from 'react';

import { type SwarmModel, usePart } from '../model';
import { Button, Empty, useTrans } from '../parts';
import { Brush, type BrushProps } from '../runs/Brush';
import {
  type Column,
  EVERYTHING,
  type Filter,
  filterOf,
  isEverything,
  type Scale,
  select,
  type Sort,
  Texts
} from '../runs/filter';
import { Filters } from '../runs/Filters';
import { Foldable } from '../runs/Foldable';
import { Grid } from '../runs/Grid';
import { type Parameter, Parameters } from '../runs/settings';
import { usePaced } from '../runs/usePaced';
import { type RunsNow, useRuns } from '../runs/useRuns';
import { openCompare } from './Compare';
import type { SectionProps } from './Overview';
import { RunDetail } from './RunDetail';

/** Milliseconds after the last change of a filter until its outcome is said. */
const PAUSE = 600;

/** What the runs of a swarm were filtered by when they were last shown. */
const filters = new WeakMap<SwarmModel, Filter>();

/** Every experiment as a table and a plot that filter each other; one of them closer. `argument`: "number:17", "direction:D3". */
export function Runs(props: SectionProps): ReactElement {
  const { argument = '', model, host } = props;
  const [open, setOpen] = useState<number | null>(null);
  const [filter, setFilter] = useState<Filter>(() => filters.get(model) ?? EVERYTHING);
  const [followed, setFollowed] = useState('');
  useEffect(() => {
    filters.set(model, filter);
  }, [model, filter]);
  if (followed !== argument) {
    setFollowed(argument);
    setOpen(numberOf(argument));
    setFilter(filterOf(argument) ?? filter);
  }
  return (
    <div className="jp-Swarm-runs">
      {open !== null && (
        <RunDetail
          {...props}
          key={open}
          number={open}
          onBack={() => {
            setOpen(null);
            if (argument) {
              host.goTo('runs');
            }
          }}
        />
      )}
      <div className="jp-Swarm-runs-all" hidden={open !== null}>
        <Table {...props} filter={filter} onFilter={setFilter} onOpen={setOpen} />
      </div>
    </div>
  );
}

function numberOf(argument: string): number | null {
  const found = /^number:(\d+)$/.exec(argument);
  return found ? Number(found[1]) : null;
}

interface TableProps extends SectionProps {
  filter: Filter;
  onFilter: (filter: Filter) => void;
  onOpen: (number: number) => void;
}

function Table({ model, host, filter, onFilter, onOpen }: TableProps): ReactElement {
  const trans = useTrans();
  const [sort, setSort] = useState<Sort>({ column: 'number', descending: true });
  const [active, setActive] = useState(-1);
  const [chosen, setChosen] = useState<readonly number[]>([]);
  const found = useRows(model, filter, sort);
  const { rows } = found;
  const { runs } = found.now;
  const picked = useMemo(() => new Set(chosen), [chosen]);
  const drawn = useDrawn(found, filter);
  const said = useSaid(filter, trans._n('%1 run is shown', '%1 runs are shown', rows.length));
  if (runs.number.length === 0) {
    return (
      <Empty
        title={trans.__('No run yet')}
        next={trans.__('The baseline comes first; each run stands here as it begins.')}
      />
    );
  }
  const choose = (row: number): void => {
    setChosen(chosen.includes(row) ? chosen.filter(each => each !== row) : [...chosen, row].slice(-2));
  };
  return (
    <>
      <Filters model={model} filter={filter} onFilter={onFilter} />
      <Foldable label={trans.__('Plot')}>
        <Brush
          {...drawn}
          metric={found.metric}
          filter={filter}
          onFilter={onFilter}
          chosen={picked}
          onPick={setActive}
        />
      </Foldable>
      <Bar
        found={found}
        chosen={chosen}
        active={active}
        onOpen={onOpen}
        onChoose={choose}
        onCompare={(a, b) => {
          openCompare(host, model, a, b);
        }}
      />
      <Grid
        {...found}
        order={JSON.stringify([filter, sort])}
        sort={sort}
        onSort={column => {
          setSort(sorted(sort, column));
        }}
        active={active}
        onActive={setActive}
        chosen={picked}
        onChoose={choose}
        onOpen={row => {
          onOpen(runs.number[row] ?? 0);
        }}
      />
      <p role="status" className="jp-Swarm-hidden">
        {said}
      </p>
    </>
  );
}

/** A column that is asked for again turns round; figures begin with the largest. */
function sorted(sort: Sort, column: Column): Sort {
  const large = ['number', 'value', 'gain', 'seconds'].includes(column);
  return { column, descending: sort.column === column ? !sort.descending : large };
}

interface Found {
  now: RunsNow;
  rows: Uint32Array;
  parameters: Parameter[];
  metric: string;
  scale: Scale;
}

/** The rows that are shown, and what the runs differ in. */
function useRows(model: SwarmModel, filter: Filter, sort: Sort): Found {
  const now = useRuns(model);
  const card = usePart(model, 'card', each => each.card);
  const [texts] = useState(() => new Texts());
  const [seen] = useState(() => new Parameters());
  const { knobs } = model;
  const baseline = card?.baseline?.mean ?? null;
  const maximize = card?.maximize ?? true;
  const scale = useMemo(() => ({ baseline, maximize }), [baseline, maximize]);
  const rows = useMemo(
    () => select(now.runs, texts, knobs, filter, sort, scale),
    [now, texts, knobs, filter, sort, scale]
  );
  const parameters = useMemo(() => {
    seen.update(now.runs);
    return seen.list(knobs);
  }, [now, seen, knobs]);
  return { now, rows, parameters, metric: card?.metric ?? '', scale };
}

/** What the plot draws: with thousands of runs not at every change, and at once where a person has changed the filter. */
function useDrawn({ now, rows, parameters }: Found, filter: Filter): Pick<BrushProps, 'now' | 'parameters' | 'shown'> {
  const drawn = useMemo(
    () => ({ now, parameters, shown: isEverything(filter) ? null : new Set(rows) }),
    [now, parameters, filter, rows]
  );
  return usePaced(drawn, now.runs.number.length, filter);
}

interface BarProps {
  found: Found;
  chosen: readonly number[];
  active: number;
  onOpen: (number: number) => void;
  onChoose: (row: number) => void;
  onCompare: (a: number, b: number) => void;
}

/** How many rows are shown, and what can be done with those that are meant. */
function Bar({ found, chosen, active, onOpen, onChoose, onCompare }: BarProps): ReactElement {
  const trans = useTrans();
  const { rows } = found;
  const { runs } = found.now;
  const none = active < 0 ? trans.__('Choose a run in the table first') : undefined;
  const [a, b] = chosen.map(row => runs.number[row] ?? 0).sort((left, right) => left - right);
  return (
    <div className="jp-Swarm-bar">
      <span>{trans.__('%1 of %2 runs', rows.length.toLocaleString(), runs.number.length.toLocaleString())}</span>
      <Button
        why={none}
        onPress={() => {
          onOpen(runs.number[active] ?? 0);
        }}
      >
        {trans.__('Open')}
      </Button>
      <Button
        why={none}
        onPress={() => {
          onChoose(active);
        }}
      >
        {chosen.includes(active) ? trans.__('Unselect') : trans.__('Select')}
      </Button>
      <Button
        why={chosen.length < 2 ? trans.__('Select two runs first, with Space') : undefined}
        onPress={() => {
          onCompare(a ?? 0, b ?? 0);
        }}
      >
        {chosen.length < 2 ? trans.__('Compare') : trans.__('Compare %1 and %2', a ?? 0, b ?? 0)}
      </Button>
    </div>
  );
}

/** What a filter has found, for screen readers: once it rests, and not whenever a run comes in. */
function useSaid(filter: Filter, words: string): string {
  const [said, setSaid] = useState('');
  const first = useRef<Filter | null>(filter);
  const latest = useRef(words);
  useEffect(() => {
    latest.current = words;
  }, [words]);
  useEffect(() => {
    if (first.current === filter) {
      return;
    }
    first.current = null;
    const timer = setTimeout(() => {
      setSaid(latest.current);
    }, PAUSE);
    return () => {
      clearTimeout(timer);
    };
  }, [filter]);
  return said;
}
