import { useEffect, useRef, useState, type ReactElement } from 'react';

import { type SwarmModel, usePart } from '../model';
import { Button, cut, duration, Failure, Loading, number, Quote, signed, useLoad, useTrans } from '../parts';
import { problemOf } from '../problem';
import { Code } from '../runs/Code';
import { purposeOf, State } from '../runs/columns';
import { gain } from '../runs/filter';
import type * as W from '../words';
import { openCompare } from './Compare';
import type { SectionProps } from './Overview';

const MEGABYTE = 1024 ** 2;

/** One run closer: its code, its values, what went wrong, what it rests on, and what can be done with it. */
export function RunDetail(props: SectionProps & { number: number; onBack: () => void }): ReactElement {
  const { model, host, number: which, onBack } = props;
  const trans = useTrans();
  const heading = useRef<HTMLHeadingElement>(null);
  const state = usePart(model, 'runs', each => each.runs.state[each.rowOf(which)] ?? '');
  const key = `${model.folder}/${model.name}/${model.ledger}/${which}/${state}`;
  const loaded = useLoad(key, () => host.api.run(model.folder, model.name, which));
  useEffect(() => {
    heading.current?.focus();
  }, []);
  return (
    <article className="jp-Swarm-run" aria-label={trans.__('Run %1', which)}>
      <Button onPress={onBack}>{trans.__('Back to all runs')}</Button>
      <h3 ref={heading} tabIndex={-1}>
        {trans.__('Run %1', which)}
      </h3>
      {loaded.problem && <Failure problem={loaded.problem} retry={loaded.again} />}
      {loaded.busy && !loaded.value && <Loading what={trans.__('run %1', which)} retry={loaded.again} />}
      {loaded.value && <Detail {...props} run={loaded.value} />}
    </article>
  );
}

type DetailProps = SectionProps & { run: W.Run };

function Detail(props: DetailProps): ReactElement {
  const { run, host } = props;
  const trans = useTrans();
  return (
    <>
      <p>{cut(run.title, 300)}</p>
      <Actions {...props} />
      <Facts {...props} />
      {run.message && <p className="jp-Swarm-message">{cut(run.message, 1000)}</p>}
      {run.traceback && (
        <details open>
          <summary>{trans.__('Traceback')}</summary>
          <pre tabIndex={0}>{cut(run.traceback, 20_000)}</pre>
        </details>
      )}
      <h4>{trans.__('Code')}</h4>
      <Code code={run.code} label={trans.__('Code of run %1', run.number)} />
      {run.citations.length > 0 && <h4>{trans.__('It rests on')}</h4>}
      {run.citations.map(citation => (
        <Quote
          key={`${citation.paper}@${citation.start}`}
          citation={citation}
          onOpen={passage => {
            host.goTo('papers', passage);
          }}
        />
      ))}
    </>
  );
}

function Facts({ run, model, host }: DetailProps): ReactElement {
  const trans = useTrans();
  const card = usePart(model, 'card', each => each.card);
  const scale = { baseline: card?.baseline?.mean ?? null, maximize: card?.maximize ?? true };
  const link = (label: string, section: 'directions' | 'findings' | 'agents'): ReactElement | string =>
    label ? (
      <Button
        kind="link"
        onPress={() => {
          host.goTo(section, label);
        }}
      >
        {cut(label, 60)}
      </Button>
    ) : (
      '–'
    );
  const facts: [string, ReactElement | string][] = [
    [trans.__('State'), <State key="state" trans={trans} state={run.state} />],
    [cut(card?.metric ?? trans.__('Value'), 60), number(run.value, 6)],
    [trans.__('Gain over the baseline'), signed(gain(run.value, scale))],
    [trans.__('Seed'), String(run.seed)],
    [trans.__('Purpose'), purposeOf(trans, run.purpose)],
    [trans.__('Time'), duration(run.seconds)],
    [trans.__('Memory'), run.peak > 0 ? trans.__('%1 MB', number(run.peak / MEGABYTE, 3)) : '–'],
    [trans.__('Direction'), link(run.direction, 'directions')],
    [trans.__('Hypothesis'), link(run.hypothesis, 'findings')],
    [trans.__('Agent'), link(run.agent, 'agents')],
    ...Object.entries(run.values).map(([name, value]): [string, string] => [cut(name, 60), number(value, 6)])
  ];
  return (
    <dl className="jp-Swarm-facts">
      {facts.map(([term, fact], place) => (
        <div key={place}>
          <dt>{term}</dt>
          <dd>{fact}</dd>
        </div>
      ))}
    </dl>
  );
}

function Actions({ run, model, steering, host }: DetailProps): ReactElement {
  const trans = useTrans();
  const notebook = useNotebook(host, model, run.number);
  const over = usePart(model, 'card', each => ['done', 'stopped', 'failed'].includes(each.card?.phase ?? ''));
  const baseline = usePart(model, 'runs', each => each.runs.number[each.runs.purpose.indexOf('baseline')]);
  const refused = host.may.write ? undefined : trans.__('You may only read here');
  return (
    <div className="jp-Swarm-bar">
      <Button
        why={refused ?? (run.notebook ? notebook.why : trans.__('Nothing of its notebook was kept'))}
        onPress={notebook.open}
      >
        {trans.__('Open as a notebook')}
      </Button>
      <Button
        why={refused ?? (over ? trans.__('The swarm is over') : undefined)}
        title={trans.__('Run it again on a seed that nobody has seen')}
        onPress={() => {
          steering.ask('replicate', String(run.number)).catch(() => undefined);
        }}
      >
        {trans.__('Replicate')}
      </Button>
      <Button onPress={() => void host.insertCell(run.code)}>{trans.__('Insert this cell')}</Button>
      {baseline !== undefined && baseline !== run.number && (
        <Button
          onPress={() => {
            openCompare(host, model, baseline, run.number);
          }}
        >
          {trans.__('Compare with the baseline')}
        </Button>
      )}
    </div>
  );
}

/** Copy a run's notebook beside the person's own and open it; `why` says that it is on its way. */
function useNotebook(
  host: SectionProps['host'],
  model: SwarmModel,
  run: number
): { open: () => void; why: string | undefined } {
  const trans = useTrans();
  const [busy, setBusy] = useState(false);
  const open = async (): Promise<void> => {
    setBusy(true);
    try {
      const { path } = await host.api.copyNotebook(model.folder, model.name, run);
      await host.openPath(path);
    } catch (error) {
      const { message, cure } = problemOf(error).problem;
      host.notify(cut(cure ? `${message} ${cure}` : message), 'error');
    } finally {
      setBusy(false);
    }
  };
  return { open: () => void open(), why: busy ? trans.__('It is being written') : undefined };
}
