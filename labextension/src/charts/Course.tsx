import type { TranslationBundle } from '@jupyterlab/translation';
import { useCallback, useMemo, useState, type ReactElement } from 'react';
import uPlot from 'uplot';

import { type SwarmModel, usePart } from '../model';
import { cut, duration, Empty, number, useTrans } from '../parts';
import { type Axis, Course as Columns, thinned, WINDOW } from '../runs/course';
import { useRuns } from '../runs/useRuns';
import type * as W from '../words';
import { type Options, Plot } from './Plot';
import { FONT, ink, type Ink, inked } from './theme';

/** Rows of the table that says the same. */
const ROWS = 20;
const HEIGHT = 190;
/** The colours of the lines, in their order. */
const INKS: readonly Ink[] = ['leader', 'text', 'soft', 'soft'];
/** Distances of marks on an axis of time, in seconds. */
const TIMES = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400, 21600, 43200, 86400, 172800];
/** How many times the span of the leader and the noise the median may take of the plot. */
const STRAY = 3;

type Best = Pick<W.Leader, 'mean' | 'low' | 'high'>;

/** Best and median of screening over time or spend, with the baseline's noise and the best that was measured again. */
export function Course({ model }: { model: SwarmModel }): ReactElement {
  const trans = useTrans();
  const [axis, setAxis] = useState<Axis>('clock');
  const card = usePart(model, 'card', each => each.card);
  const { data, length } = useCourse(model, card, axis);
  const best = useBest(card);
  const make = useCallback(() => optionsOf(trans, axis, best), [trans, axis, best]);
  if (!card || length === 0) {
    return (
      <Empty
        title={trans.__('Nothing to draw yet')}
        next={trans.__('The first value comes with the baseline’s run.')}
      />
    );
  }
  return (
    <figure className="jp-Swarm-course">
      <label className="jp-Swarm-choice">
        {trans.__('Over')}
        <select
          value={axis}
          onChange={event => {
            setAxis(event.target.value as Axis);
          }}
        >
          <option value="clock">{trans.__('the swarm’s clock')}</option>
          <option value="experiments">{trans.__('experiments')}</option>
        </select>
      </label>
      <Plot make={make} data={data} height={HEIGHT} label={wordsOf(trans, card, data)} />
      <AsTable data={data} axis={axis} />
    </figure>
  );
}

/** The best that was measured again: the same object for as long as it is the same. */
function useBest(card: W.Card | null): Best | null {
  const { mean, low, high } = card?.best ?? {};
  return useMemo(
    () => (mean === undefined || low === undefined || high === undefined ? null : { mean, low, high }),
    [mean, low, high]
  );
}

/** The columns to draw; those of the runs are read once, and only what is new of them later. */
function useCourse(model: SwarmModel, card: W.Card | null, axis: Axis): { data: uPlot.AlignedData; length: number } {
  const [course] = useState(() => new Columns());
  const now = useRuns(model);
  const maximize = card?.maximize ?? true;
  const mean = card?.baseline?.mean ?? null;
  const sd = card?.baseline?.sd ?? 0;
  const data = useMemo((): uPlot.AlignedData => {
    course.update(now.runs, maximize);
    const edge = (sign: number): (number | null)[] =>
      new Array<number | null>(course.length).fill(mean === null ? null : mean + sign * sd);
    return [course[axis], course.leader, course.median, edge(1), edge(-1)];
  }, [course, now, maximize, mean, sd, axis]);
  return { data, length: data[0].length };
}

function optionsOf(trans: TranslationBundle, axis: Axis, best: Best | null): Options {
  const time = axis === 'clock';
  const shown = (_: uPlot, value: number | null): string => number(value, 4);
  return {
    legend: { live: true, markers: { width: 2, stroke: (_, series) => inked(INKS[series - 1] ?? 'text') } },
    cursor: { drag: { x: false, y: false }, points: { size: 6 } },
    scales: { x: { time: false }, y: { range: plot => rangeOf(plot.data, best) } },
    series: [
      {
        label: time ? trans.__('Clock') : trans.__('Experiments'),
        value: (_, value: number | null) => (time ? duration(value) : number(value, 6))
      },
      {
        label: trans.__('Best so far (mean)'),
        stroke: ink('leader'),
        width: 2,
        points: { show: false },
        value: shown,
        ...stepped()
      },
      {
        label: trans.__('Median of %1', WINDOW),
        stroke: ink('text'),
        dash: [5, 4],
        points: { show: false },
        value: shown
      },
      { label: trans.__('Baseline + sd'), stroke: ink('soft'), dash: [1, 3], points: { show: false }, value: shown },
      { label: trans.__('Baseline − sd'), stroke: ink('soft'), dash: [1, 3], points: { show: false }, value: shown }
    ],
    bands: [{ series: [3, 4], fill: bandInk }],
    axes: [
      { ...axisOf(time), size: 28 },
      { ...axisOf(false), size: 58, values: (_, splits) => splits.map(each => number(each, 4)) }
    ],
    hooks: {
      draw: best
        ? [
            plot => {
              drawBest(plot, best);
            }
          ]
        : []
    }
  };
}

function stepped(): { paths?: uPlot.Series.PathBuilder } {
  const paths = uPlot.paths.stepped?.({ align: 1 });
  return paths ? { paths } : {};
}

/** The band's colour, so thin that lines over it keep their contrast. */
function bandInk(): string {
  const colour = ink('band')();
  return `color-mix(in srgb, ${colour} 45%, transparent)`;
}

function axisOf(time: boolean): uPlot.Axis {
  return {
    stroke: ink('text'),
    font: FONT,
    grid: { stroke: ink('grid'), width: 1 },
    ticks: { stroke: ink('grid'), width: 1, size: 4 },
    ...(time ? { incrs: TIMES, space: 60, values: (_, splits) => splits.map(each => duration(each)) } : {})
  };
}

/** The leader, the noise and the best measured again are always seen; a median far off them may leave the plot. */
function rangeOf(data: uPlot.AlignedData, best: Best | null): uPlot.Range.MinMax {
  const [, leader = [], median = [], upper = [], lower = []] = data;
  const own = extent([leader, upper.slice(-1), lower.slice(-1), best ? [best.low, best.high] : []]);
  const all = extent([[...own], median]);
  const room = own[1] - own[0] > 0 ? STRAY * (own[1] - own[0]) : Infinity;
  const low = Math.max(all[0], own[0] - room);
  const high = Math.min(all[1], own[1] + room);
  return low < high ? uPlot.rangeNum(low, high, 0.08, false) : uPlot.rangeNum(low - 0.5, high + 0.5, 0.08, false);
}

function extent(columns: readonly ArrayLike<number | null | undefined>[]): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const column of columns) {
    for (let index = 0; index < column.length; index++) {
      const value = column[index];
      if (typeof value === 'number') {
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
    }
  }
  return [low, high];
}

/** The best cell's mean as a ring at the right edge, with its interval. */
function drawBest(plot: uPlot, best: Best): void {
  const { ctx, bbox } = plot;
  const x = bbox.left + bbox.width - 7 * uPlot.pxRatio;
  const y = (value: number): number => plot.valToPos(value, 'y', true);
  ctx.save();
  ctx.strokeStyle = ink('best')();
  ctx.lineWidth = 2 * uPlot.pxRatio;
  ctx.beginPath();
  ctx.moveTo(x, y(best.low));
  ctx.lineTo(x, y(best.high));
  ctx.stroke();
  ctx.beginPath();
  ctx.arc(x, y(best.mean), 4 * uPlot.pxRatio, 0, 2 * Math.PI);
  ctx.stroke();
  ctx.restore();
}

/** The plot in words: where everything stands now. */
function wordsOf(trans: TranslationBundle, card: W.Card, data: uPlot.AlignedData): string {
  const last = (column: number): string => number(data[column]?.[data[0].length - 1] ?? null);
  const words = [
    trans.__('%1: the best so far is at %2 on screening seeds.', cut(card.metric, 60), last(1)),
    trans.__('The median of the last %1 values is %2.', WINDOW, last(2))
  ];
  if (card.baseline) {
    words.push(trans.__('The baseline is at %1 ± %2.', number(card.baseline.mean), number(card.baseline.sd, 2)));
  }
  if (card.best) {
    const { mean, low, high } = card.best;
    words.push(trans.__('Measured again, the best is at %1, from %2 to %3.', number(mean), number(low), number(high)));
  }
  return words.join(' ');
}

/** The same as numbers, for who reads better than sees. */
function AsTable({ data, axis }: { data: uPlot.AlignedData; axis: Axis }): ReactElement {
  const trans = useTrans();
  const [open, setOpen] = useState(false);
  return (
    <details
      onToggle={event => {
        setOpen(event.currentTarget.open);
      }}
    >
      <summary>{trans.__('Show as a table')}</summary>
      {open && (
        <table className="jp-Swarm-numbers">
          <thead>
            <tr>
              <th scope="col">{axis === 'clock' ? trans.__('Clock') : trans.__('Experiments')}</th>
              <th scope="col">{trans.__('Best so far')}</th>
              <th scope="col">{trans.__('Median')}</th>
            </tr>
          </thead>
          <tbody>
            {thinned(data[0].length, ROWS).map(row => (
              <tr key={row}>
                <th scope="row">{axis === 'clock' ? duration(data[0][row]) : number(data[0][row], 6)}</th>
                <td>{number(data[1]?.[row])}</td>
                <td>{number(data[2]?.[row])}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </details>
  );
}
