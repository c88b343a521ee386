import type { TranslationBundle } from '@jupyterlab/translation';
import { useId, useState, type ReactElement } from 'react';

import type { Host } from '../host';
import { ago, Ask, Badge, Button, cut, duration, Failure, type Kind, More, number, Progress, useTrans } from '../parts';
import { problemOf } from '../problem';
import type { Session } from '../session';
import type { Pending, Steering } from '../steering';
import type * as W from '../words';
import { type Spend, spent } from './budget';
import { doing, verbOf } from './naming';

/** Signs and colours of the phases. */
export const KINDS: Readonly<Record<W.Brief['phase'], Kind>> = {
  unknown: 'plain',
  requested: 'busy',
  running: 'busy',
  paused: 'open',
  done: 'good',
  stopped: 'plain',
  failed: 'bad'
};

/** Whether it ought to be at work and nobody works on it: its runner was ended from outside. */
export function isLost({ phase, alive }: { phase: W.Brief['phase']; alive: boolean }): boolean {
  return phase === 'running' && !alive;
}

const OVER: readonly W.Brief['phase'][] = ['done', 'stopped', 'failed'];

/** Whether nothing more comes of it. */
export function isOver({ phase }: { phase: W.Brief['phase'] }): boolean {
  return OVER.includes(phase);
}

/** What has been taken of a budget, in words: "12 of 500 runs · 1 min of 2 min · $0.3 of $2". */
export function useSpentWords(): (budget: W.Budget, spend: Spend) => string {
  const trans = useTrans();
  return (budget, { seconds, experiments, tokens, dollars }) => {
    const runs = budget.experiments
      ? trans.__('%1 of %2 runs', experiments.toLocaleString(), budget.experiments.toLocaleString())
      : trans._n('%1 run', '%1 runs', experiments);
    const time = budget.seconds ? trans.__('%1 of %2', duration(seconds), duration(budget.seconds)) : duration(seconds);
    const words = [runs, time];
    if (budget.tokens) {
      words.push(trans.__('%1 of %2 tokens', tokens.toLocaleString(), budget.tokens.toLocaleString()));
    }
    if (budget.dollars) {
      const paid = dollars === null ? trans.__('an unknown price') : `$${number(dollars, 3)}`;
      words.push(trans.__('%1 of %2', paid, `$${budget.dollars.toLocaleString()}`));
    }
    return words.join(' · ');
  };
}

/** What a list of swarms is given. */
export interface SwarmsProps {
  session: Session;
  host: Host;
  /** Whether stopping asks first. */
  confirms: boolean;
  /** How many are shown at first. */
  rows: number;
}

/** The swarms of the folder, the newest first, each with what can be done about it. */
export function Swarms(props: SwarmsProps): ReactElement {
  const trans = useTrans();
  const swarms = props.session.briefs?.swarms ?? [];
  const [shown, setShown] = useState(props.rows);
  return (
    <section className="jp-Swarm-swarms" aria-label={trans.__('Swarms')}>
      <ul className="jp-Swarm-plain">
        {swarms.slice(0, shown).map(brief => (
          <Item key={brief.name} brief={brief} {...props} />
        ))}
      </ul>
      <More
        shown={Math.min(shown, swarms.length)}
        all={swarms.length}
        step={props.rows}
        onMore={() => {
          setShown(shown + props.rows);
        }}
      />
    </section>
  );
}

function Item({ brief, ...props }: SwarmsProps & { brief: W.Brief }): ReactElement {
  const { session } = props;
  const trans = useTrans();
  const id = useId();
  const words = useSpentWords()(brief.budget, brief);
  const { value, max } = spent(brief.budget, brief);
  const counts = trans.__('%1 supported, %2 refuted, %3 open', brief.supported, brief.refuted, brief.open);
  return (
    <li className="jp-Swarm-card" aria-labelledby={id}>
      <div className="jp-Swarm-row">
        <h3 id={id}>
          <Button
            kind="link"
            onPress={() => {
              session.show(brief.name);
            }}
          >
            {cut(brief.name, 80)}
          </Button>
        </h3>
        <Badge
          kind={isLost(brief) ? 'warning' : KINDS[brief.phase]}
          word={doing(trans, brief)}
          title={cut(brief.why)}
        />
      </div>
      {brief.question && <p className="jp-Swarm-soft">{cut(brief.question, 160)}</p>}
      <Progress label={trans.__('Spent')} value={value} max={max || null} words={words} />
      <p className="jp-Swarm-soft">
        {counts} · {ago(trans, brief.updated, session.now())}
      </p>
      <div className="jp-Swarm-row">
        <Controls
          steering={session.steering(brief.name)}
          host={props.host}
          folder={session.folder}
          name={brief.name}
          phase={brief.phase}
          alive={brief.alive}
          confirms={props.confirms}
        />
      </div>
      <Unsent name={brief.name} session={session} />
    </li>
  );
}

/** What can be done about one swarm. */
export function Controls({ steering, host, folder, name, phase, alive, confirms }: ControlsProps): ReactElement {
  const trans = useTrans();
  const over = isOver({ phase });
  const resumes = phase === 'paused' || (!over && !alive);
  const write = host.may.write ? undefined : trans.__('You may look, but not steer: ask for the right to write');
  const execute = host.may.execute ? undefined : trans.__('You may not start processes here: ask for that right');
  const ask = (verb: W.Ask['verb']) => (): void => {
    void steering.ask(verb);
  };
  const stop = trans.__('Stop');
  return (
    <>
      {!over && !resumes && (
        <Button why={write} name={trans.__('Pause %1', name)} onPress={ask('pause')}>
          {trans.__('Pause')}
        </Button>
      )}
      {resumes && (
        <Button why={execute} name={trans.__('Resume %1', name)} onPress={ask('resume')}>
          {trans.__('Resume')}
        </Button>
      )}
      {!over && confirms && (
        <Ask
          label={stop}
          name={trans.__('Stop %1', name)}
          question={trans.__('End it now? Findings so far stay.')}
          yes={stop}
          onYes={ask('stop')}
          why={write}
        />
      )}
      {!over && !confirms && (
        <Button why={write} name={trans.__('Stop %1', name)} onPress={ask('stop')}>
          {stop}
        </Button>
      )}
      <Report host={host} folder={folder} name={name} why={execute} />
    </>
  );
}

/** The swarm that is controlled. */
export interface ControlsProps {
  steering: Steering;
  host: Host;
  folder: string;
  name: string;
  phase: W.Brief['phase'];
  alive: boolean;
  confirms: boolean;
}

interface ReportProps {
  host: Host;
  folder: string;
  name: string;
  why: string | undefined;
}

function Report({ host, folder, name, why }: ReportProps): ReactElement {
  const trans = useTrans();
  const [busy, setBusy] = useState(false);
  const write = async (): Promise<void> => {
    setBusy(true);
    try {
      await host.openPath((await host.api.report(folder, name)).path);
    } catch (error) {
      const { message, cure } = problemOf(error).problem;
      host.notify(`${cut(message)} ${cut(cure)}`, 'error');
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button
      why={busy ? trans.__('The report is being written') : why}
      name={trans.__('Report of %1', name)}
      onPress={() => {
        void write();
      }}
    >
      {busy ? trans.__('Writing …') : trans.__('Report')}
    </Button>
  );
}

/** Requests that have not reached the ledger: on their way, or not taken. */
export function Unsent({ session, name }: { session: Session; name: string }): ReactElement {
  const trans = useTrans();
  const steering = session.steering(name);
  const left = steering.pending.filter(each => each.state !== 'taken');
  return (
    <div role="status" className="jp-Swarm-unsent">
      {left.map(each =>
        each.state === 'sending' ? (
          <p key={each.id}>{trans.__('Sending: %1', verbOf(trans, each.verb))}</p>
        ) : (
          <Failure
            key={each.id}
            problem={untaken(trans, each)}
            retry={() => {
              steering.retry(each.id);
            }}
          />
        )
      )}
    </div>
  );
}

/** What to say of a request that was not taken. */
export function untaken(trans: TranslationBundle, { verb, problem }: Pending): W.Problem {
  const known = problem ?? { message: '', where: '', cure: '', reason: '' };
  const message = trans.__('Not taken: %1. %2', verbOf(trans, verb), cut(known.message));
  const unreached = known.reason === 'Network' || known.reason === 'Timeout';
  return { ...known, message, cure: unreached ? trans.__('try again once the server is back') : known.cure };
}
