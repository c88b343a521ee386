import { defaultRangeExtractor, useVirtualizer, type Range as Window, type Virtualizer } from '@tanstack/react-virtual';
import {
  memo,
  useCallback,
  useId,
  useLayoutEffect,
  useMemo,
  useRef,
  type KeyboardEvent,
  type ReactElement,
  type RefObject
} from 'react';

import { useTrans } from '../parts';
import { cellOf, columnsOf, type ColumnSpec } from './columns';
import type { Column, Scale, Sort } from './filter';
import type { RunsNow } from './useRuns';

/** CSS pixels of a row; the style sheet has the same. */
export const ROW = 28;

/** The table of runs. Rows are numbers of rows in the columns, in the order in which they are shown. */
export interface GridProps {
  now: RunsNow;
  rows: Uint32Array;
  /** What the rows' order depends on; while it stays, what is looked at stays where it is as rows come. */
  order: string;
  metric: string;
  scale: Scale;
  sort: Sort;
  onSort: (column: Column) => void;
  active: number;
  onActive: (row: number) => void;
  chosen: ReadonlySet<number>;
  onChoose: (row: number) => void;
  onOpen: (row: number) => void;
}

/** A grid of which only the visible rows exist. Arrows move, Enter opens, Space selects. */
export function Grid(props: GridProps): ReactElement {
  const trans = useTrans();
  const { rows, metric, active } = props;
  const id = useId();
  const scroller = useSteady(props.rows, props.order);
  const columns = useMemo(() => columnsOf(trans, metric), [trans, metric]);
  const place = useMemo(() => rows.indexOf(active), [rows, active]);
  const rangeExtractor = useCallback(
    (range: Window) => {
      const seen = defaultRangeExtractor(range);
      return place < 0 || seen.includes(place) ? seen : [...seen, place].sort((a, b) => a - b);
    },
    [place]
  );
  // eslint-disable-next-line react-hooks/incompatible-library -- nothing of it is memoised here
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    scrollPaddingStart: ROW + 4,
    overscan: 12,
    rangeExtractor
  });
  const template = useMemo(() => columns.map(each => each.width).join(' '), [columns]);
  const items = virtualizer.getVirtualItems();
  return (
    <div
      ref={scroller}
      className="jp-Swarm-grid"
      role="grid"
      tabIndex={0}
      aria-label={trans.__('Runs. Arrows move, Enter opens, Space selects two to compare.')}
      aria-rowcount={rows.length + 1}
      aria-colcount={columns.length}
      aria-multiselectable="true"
      aria-activedescendant={place < 0 ? undefined : `${id}-${active}`}
      onKeyDown={event => {
        onKey(event, props, place, virtualizer);
      }}
    >
      <Head columns={columns} template={template} sort={props.sort} onSort={props.onSort} />
      <div role="rowgroup" className="jp-Swarm-grid-body" style={{ height: virtualizer.getTotalSize() }}>
        {items.map(item => (
          <Row
            key={rows[item.index] ?? item.index}
            {...props}
            id={id}
            row={rows[item.index] ?? 0}
            index={item.index}
            top={item.start}
            columns={columns}
            template={template}
          />
        ))}
      </div>
    </div>
  );
}

function Head({
  columns,
  template,
  sort,
  onSort
}: Pick<GridProps, 'sort' | 'onSort'> & { columns: ColumnSpec[]; template: string }): ReactElement {
  return (
    <div role="rowgroup" className="jp-Swarm-grid-head">
      <div role="row" aria-rowindex={1} style={{ gridTemplateColumns: template }}>
        {columns.map(({ column, label, numeric }) => {
          const sorted = sort.column === column ? (sort.descending ? 'descending' : 'ascending') : 'none';
          return (
            <div key={column} role="columnheader" aria-sort={sorted} data-numeric={numeric}>
              <button
                type="button"
                onClick={() => {
                  onSort(column);
                }}
              >
                {label}
                <span aria-hidden="true">{sorted === 'none' ? '' : sort.descending ? ' ▼' : ' ▲'}</span>
              </button>
            </div>
          );
        })}
      </div>
    </div>
  );
}

interface RowProps extends GridProps {
  /** What the identifiers of this table's rows begin with. */
  id: string;
  row: number;
  index: number;
  top: number;
  columns: ColumnSpec[];
  template: string;
}

/** One row; it is drawn again for what it shows, and not for every step of scrolling. */
const Row = memo(function Row(props: RowProps): ReactElement {
  const { id, now, row, index, top, columns, template, scale, active, chosen, onActive, onChoose, onOpen } = props;
  const trans = useTrans();
  return (
    <div
      id={`${id}-${row}`}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={chosen.has(row)}
      className="jp-Swarm-grid-row"
      data-active={row === active}
      style={{ transform: `translateY(${top}px)`, gridTemplateColumns: template }}
      onClick={event => {
        onActive(row);
        if (event.ctrlKey || event.metaKey || event.shiftKey) {
          onChoose(row);
        }
      }}
      onDoubleClick={() => {
        onOpen(row);
      }}
    >
      {columns.map(({ column, numeric }) => (
        <div key={column} role="gridcell" data-numeric={numeric}>
          {column === 'number' && <span aria-hidden="true">{chosen.has(row) ? '☑ ' : ''}</span>}
          {cellOf(trans, now.runs, row, column, scale)}
        </div>
      ))}
    </div>
  );
});

/** Where a key leads from a place in the table; null for keys that do not move. */
function moved(key: string, place: number, count: number, page: number): number | null {
  const steps: Readonly<Record<string, number>> = {
    ArrowDown: place + 1,
    ArrowUp: place - 1,
    PageDown: place + page,
    PageUp: place - page,
    Home: 0,
    End: count - 1
  };
  const to = steps[key];
  return to === undefined ? null : Math.min(count - 1, Math.max(0, to));
}

function onKey(
  event: KeyboardEvent<HTMLDivElement>,
  props: GridProps,
  place: number,
  virtualizer: Virtualizer<HTMLDivElement, Element>
): void {
  if (event.target !== event.currentTarget || props.rows.length === 0) {
    return;
  }
  const page = Math.max(1, Math.floor(event.currentTarget.clientHeight / ROW) - 2);
  const to = moved(event.key, place, props.rows.length, page);
  if (to !== null) {
    props.onActive(props.rows[to] ?? 0);
    virtualizer.scrollToIndex(to);
  } else if (event.key === 'Enter' && place >= 0) {
    props.onOpen(props.active);
  } else if (event.key === ' ' && place >= 0) {
    props.onChoose(props.active);
  } else {
    return;
  }
  event.preventDefault();
}

/** While rows come in above, what a person looks at stays where it is. */
function useSteady(rows: Uint32Array, order: string): RefObject<HTMLDivElement> {
  const scroller = useRef<HTMLDivElement>(null);
  const seen = useRef<{ rows: Uint32Array; order: string }>({ rows, order });
  useLayoutEffect(() => {
    const node = scroller.current;
    const before = seen.current;
    seen.current = { rows, order };
    if (!node || before.order !== order || before.rows === rows || node.scrollTop < ROW) {
      return;
    }
    const place = Math.floor(node.scrollTop / ROW);
    const now = rows.indexOf(before.rows[place] ?? -1);
    if (now >= 0 && now !== place) {
      node.scrollTop += (now - place) * ROW;
    }
  }, [rows, order]);
  return scroller;
}
