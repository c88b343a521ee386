import type { TranslationBundle } from '@jupyterlab/translation';
import { useCallback, useEffect, useMemo, useRef, type ReactElement } from 'react';
import uPlot from 'uplot';

import { cut, number, useTrans } from '../parts';
import type { Range, Wanted } from '../runs/filter';
import { highlighted, nearest, type Points, spanOf, wantedOf } from '../runs/points';
import { short, type Parameter, UNCHANGED } from '../runs/settings';
import { type Options, Plot } from './Plot';
import { FONT, ink, type Ink } from './theme';

const HEIGHT = 180;
/** CSS pixels from a point within which a click means it. */
const REACH = 12;
/** CSS pixels of a letter of an axis. */
const LETTER = 7.5;

/** A parameter against the metric. */
export interface ScatterProps {
  metric: string;
  parameter: Parameter;
  points: Points;
  /** Rows that the table shows; null where it shows all. */
  shown: ReadonlySet<number> | null;
  /** Rows that are selected there. */
  chosen: ReadonlySet<number>;
  /** What the table is filtered by, drawn as a frame. */
  wanted: Wanted | null;
  value: Range | null;
  /** A frame was drawn, or taken away. */
  onBrush: (wanted: Wanted | null, value: Range | null) => void;
  /** A point was meant: its row. */
  onPick: (row: number) => void;
}

/** Points that one can draw a frame around; what the frame holds is what the table shows. */
export function Scatter(props: ScatterProps): ReactElement {
  const { parameter, points, shown, chosen, wanted, value } = props;
  const trans = useTrans();
  const latest = useRef(props);
  useEffect(() => {
    latest.current = props;
  });
  const { numeric, log, name } = parameter;
  const categories = points.categories?.join('\n');
  const make = useCallback(
    () => optionsOf(trans, { numeric, log, name, metric: props.metric }, categories?.split('\n') ?? null, latest),
    [trans, numeric, log, name, props.metric, categories]
  );
  const data = useMemo((): uPlot.AlignedData => {
    const all = [points.x, points.y, shown ? highlighted(points, shown) : points.y, highlighted(points, chosen)];
    return all as uPlot.AlignedData;
  }, [points, shown, chosen]);
  const frame = useCallback(
    (plot: uPlot) => {
      const own = wanted?.name === name ? spanOf(wanted, points) : null;
      placeFrame(plot, own, value);
    },
    [wanted, value, points, name]
  );
  return <Plot make={make} data={data} height={HEIGHT} label={wordsOf(trans, props)} after={frame} />;
}

interface Kind {
  numeric: boolean;
  log: boolean;
  name: string;
  metric: string;
}

type Latest = { readonly current: ScatterProps };

function optionsOf(trans: TranslationBundle, kind: Kind, categories: string[] | null, latest: Latest): Options {
  return {
    legend: { show: false },
    cursor: {
      drag: {
        x: true,
        y: true,
        setScale: false,
        dist: 5,
        click: plot => {
          pick(plot, latest.current);
        }
      },
      points: { show: false },
      bind: { dblclick: () => () => clear(latest.current) }
    },
    scales: {
      x: {
        time: false,
        ...(kind.log ? { distr: uPlot.Scale.Distr.Logarithmic } : {}),
        range: (_, low, high) => horizontal(kind, categories, low, high)
      },
      y: { range: (_, low, high) => (low < high ? uPlot.rangeNum(low, high, 0.1, false) : [low - 0.5, high + 0.5]) }
    },
    series: [
      {},
      dots(trans.__('All runs'), 'soft', 4, 0.35),
      dots(trans.__('Shown'), 'leader', 5),
      dots(trans.__('Selected'), 'chosen', 13)
    ],
    axes: [
      { ...axis(cut(kind.name, 60)), size: 26, ...(categories ? categoryAxis(trans, categories) : {}) },
      { ...axis(cut(kind.metric, 40)), size: 58, values: (_, splits) => splits.map(each => number(each, 4)) }
    ],
    hooks: {
      setSelect: [
        plot => {
          brush(plot, latest.current);
        }
      ]
    }
  };
}

function dots(label: string, name: Ink, size: number, alpha = 1): uPlot.Series {
  const ring = size > 10;
  return {
    label,
    alpha,
    stroke: ink(name),
    paths: () => null,
    points: { show: true, size, width: ring ? 3 : 1, fill: ring ? 'transparent' : ink(name), stroke: ink(name) }
  };
}

function axis(label: string): uPlot.Axis {
  return {
    label,
    labelSize: 16,
    labelFont: FONT,
    stroke: ink('text'),
    font: FONT,
    grid: { stroke: ink('grid'), width: 1 },
    ticks: { stroke: ink('grid'), width: 1, size: 4 }
  };
}

function categoryAxis(trans: TranslationBundle, categories: string[]): uPlot.Axis {
  return {
    splits: () => categories.map((_, place) => place),
    values: (plot, splits) =>
      splits.map(place => categoryWords(trans, categories[place] ?? '', roomOf(plot, categories))),
    space: 10
  };
}

/** Letters that have room under a category's points. */
function roomOf(plot: uPlot, categories: readonly string[]): number {
  return Math.max(3, Math.floor(plot.bbox.width / uPlot.pxRatio / categories.length / LETTER));
}

/** A category for people. */
export function categoryWords(trans: TranslationBundle, category: string, most = 60): string {
  if (category === UNCHANGED) {
    return trans.__('as in the cell');
  }
  return category === '∅' ? trans.__('left out') : cut(short(category), most);
}

function horizontal(kind: Kind, categories: string[] | null, low: number, high: number): uPlot.Range.MinMax {
  if (categories) {
    return [-0.6, categories.length - 0.4];
  }
  if (kind.log) {
    // Before the first data uPlot asks with null.
    return low > 0 ? [marked(low / 1.15), high * 1.15] : [0.1, 10];
  }
  const room = low < high ? 0.04 * (high - low) : 0.5;
  return [low - room, high + room];
}

/** The next mark of a log axis below: uPlot counts its marks from the axis' beginning, and without end from between two. */
function marked(value: number): number {
  const decade = 10 ** Math.floor(Math.log10(value));
  return Number((decade * Math.floor(value / decade)).toPrecision(3));
}

/** A frame was drawn: what it holds becomes the table's filter. One that is given back by `placeFrame` fires nothing. */
function brush(plot: uPlot, props: ScatterProps): void {
  const { left, top, width, height } = plot.select;
  if (width < 2 && height < 2) {
    return;
  }
  const x = [plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x')] as const;
  const y = [plot.posToVal(top + height, 'y'), plot.posToVal(top, 'y')] as const;
  const all = plot.rect;
  const wide = width >= all.width - 2;
  const tall = height >= all.height - 2;
  props.onBrush(
    wide ? null : wantedOf(props.parameter, props.points, x[0], x[1]),
    tall ? null : { low: y[0], high: y[1] }
  );
}

function clear(props: ScatterProps): null {
  props.onBrush(null, null);
  return null;
}

function pick(plot: uPlot, { points, onPick }: ScatterProps): void {
  const { left = -1, top = -1 } = plot.cursor;
  const away = (x: number, y: number): number => Math.hypot(plot.valToPos(x, 'x') - left, plot.valToPos(y, 'y') - top);
  const row = points.rows[nearest(points, away, REACH)];
  if (row !== undefined) {
    onPick(row);
  }
}

/** Draw what the table is filtered by; an end that is missing is the plot's own edge. */
function placeFrame(plot: uPlot, span: Range | null, value: Range | null): void {
  const { width, height } = plot.over.getBoundingClientRect();
  const x = (at: number | null, edge: number): number =>
    at === null ? edge : Math.min(width, Math.max(0, plot.valToPos(at, 'x')));
  const y = (at: number | null, edge: number): number =>
    at === null ? edge : Math.min(height, Math.max(0, plot.valToPos(at, 'y')));
  const [left, right] = [x(span?.low ?? null, 0), x(span?.high ?? null, width)];
  const [top, bottom] = [y(value?.high ?? null, 0), y(value?.low ?? null, height)];
  const none = span === null && value === null;
  plot.setSelect(
    none ? { left: 0, top: 0, width: 0, height: 0 } : { left, top, width: right - left, height: bottom - top },
    false
  );
}

function wordsOf(trans: TranslationBundle, { metric, parameter, points, shown }: ScatterProps): string {
  const count = shown ? points.rows.filter(row => shown.has(row)).length : points.rows.length;
  return trans.__(
    '%1 against %2: %3 runs, of which the table shows %4. The fields below draw the same frame.',
    cut(metric, 60),
    cut(parameter.name, 80),
    points.rows.length,
    count
  );
}
