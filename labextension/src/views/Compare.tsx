import { MergeView } from '@codemirror/merge';
import { useEffect, useRef, type ReactElement } from 'react';

import type { Host } from '../host';
import { type SwarmModel, usePart } from '../model';
import { cut, duration, Failure, Loading, number, signed, useLoad, useTrans } from '../parts';
import { purposeOf, State } from '../runs/columns';
import { highlighting, reading } from '../runs/editor';
import { gain } from '../runs/filter';
import type * as W from '../words';

/** Open two runs beside each other in the main area. */
export function openCompare(host: Host, model: SwarmModel, a: number, b: number): void {
  const key = `compare:${model.folder}/${model.name}/${model.ledger}/${a}/${b}`;
  host.openWidget(key, host.trans.__('Runs %1 and %2', a, b), () => <Compare host={host} model={model} a={a} b={b} />);
}

/** Two runs: what they gave beside each other, and the difference of their code. */
export function Compare({ host, model, a, b }: { host: Host; model: SwarmModel; a: number; b: number }): ReactElement {
  const trans = useTrans();
  const key = `${model.folder}/${model.name}/${model.ledger}/${a}/${b}`;
  const loaded = useLoad(key, () =>
    Promise.all([host.api.run(model.folder, model.name, a), host.api.run(model.folder, model.name, b)])
  );
  if (loaded.problem) {
    return <Failure problem={loaded.problem} retry={loaded.again} />;
  }
  if (!loaded.value) {
    return <Loading what={trans.__('runs %1 and %2', a, b)} retry={loaded.again} />;
  }
  const [left, right] = loaded.value;
  return (
    <div className="jp-Swarm-compare">
      <Figures model={model} left={left} right={right} />
      {left.code === right.code ? (
        <p role="status">{trans.__('Their code is the same; they differ in seed or purpose.')}</p>
      ) : (
        <Difference left={left} right={right} />
      )}
    </div>
  );
}

function Figures({ model, left, right }: { model: SwarmModel; left: W.Run; right: W.Run }): ReactElement {
  const trans = useTrans();
  const card = usePart(model, 'card', each => each.card);
  const scale = { baseline: card?.baseline?.mean ?? null, maximize: card?.maximize ?? true };
  const names = [...new Set([...Object.keys(left.values), ...Object.keys(right.values)])];
  const rows: [string, (run: W.Run) => ReactElement | string][] = [
    [trans.__('What it is'), run => cut(run.title, 200)],
    [trans.__('State'), run => <State trans={trans} state={run.state} />],
    [cut(card?.metric ?? trans.__('Value'), 60), run => number(run.value, 6)],
    [trans.__('Gain over the baseline'), run => signed(gain(run.value, scale))],
    [trans.__('Seed'), run => String(run.seed)],
    [trans.__('Time'), run => duration(run.seconds)],
    [trans.__('Purpose'), run => purposeOf(trans, run.purpose)],
    ...names.map((name): [string, (run: W.Run) => string] => [cut(name, 60), run => number(run.values[name], 6)])
  ];
  return (
    <table className="jp-Swarm-numbers">
      <thead>
        <tr>
          <td />
          <th scope="col">{trans.__('Run %1', left.number)}</th>
          <th scope="col">{trans.__('Run %1', right.number)}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(([label, show], place) => (
          <tr key={place}>
            <th scope="row">{label}</th>
            <td>{show(left)}</td>
            <td>{show(right)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Difference({ left, right }: { left: W.Run; right: W.Run }): ReactElement {
  const trans = useTrans();
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!place.current) {
      return;
    }
    const python = highlighting();
    const side = (run: W.Run): { doc: string; extensions: ReturnType<typeof reading> } => ({
      doc: run.code,
      extensions: [...reading(trans.__('Code of run %1', run.number)), python.extension]
    });
    const view = new MergeView({
      a: side(left),
      b: side(right),
      parent: place.current,
      collapseUnchanged: { margin: 3, minSize: 8 },
      diffConfig: { scanLimit: 1000, timeout: 500 }
    });
    python.fill(view.a, view.b);
    return () => {
      view.destroy();
    };
  }, [left, right, trans]);
  return (
    <section aria-label={trans.__('Difference of their code')}>
      <h3>{trans.__('Difference of their code')}</h3>
      <div ref={place} className="jp-Swarm-difference" />
    </section>
  );
}
