import { useId, useState, type ReactElement } from 'react';

import type { Host } from '../host';
import { type SwarmModel, usePart } from '../model';
import { ago, Badge, Button, cut, Failure, type Kind, number, Progress, useTrans, useWhyNot } from '../parts';
import type { Session } from '../session';
import { amount } from '../start/magic';
import type { Steering } from '../steering';
import type { Connection } from '../stream';
import type * as W from '../words';
import { spent } from './budget';
import { doing } from './naming';
import { Controls, isLost, KINDS, untaken, useSpentWords } from './Swarms';

/** What the head of a swarm is given. */
export interface HeadProps {
  session: Session;
  host: Host;
  model: SwarmModel;
  steering: Steering;
  confirms: boolean;
  /** Open the panel wide; null where it is. */
  widen: (() => void) | null;
  /** Whether the section below tells of answer, spend and alarm itself. */
  short: boolean;
}

/** The swarm that is shown: name, question, state, spend, the answer so far, what can be done, what was answered. */
export function Head(props: HeadProps): ReactElement {
  const { model, session } = props;
  const trans = useTrans();
  const card = usePart(model, 'card', each => each.card);
  const [open, setOpen] = useState(false);
  return (
    <header className="jp-Swarm-head">
      <div className="jp-Swarm-row">
        <Button
          name={trans.__('Back to the list of swarms')}
          title={trans.__('Back to the list of swarms')}
          onPress={() => {
            session.show(null);
          }}
        >
          ←
        </Button>
        <h2>{cut(model.name, 80)}</h2>
        {card && (
          <Badge kind={isLost(card) ? 'warning' : KINDS[card.phase]} word={doing(trans, card)} title={cut(card.why)} />
        )}
        <Phase card={card} />
        <Link model={model} session={session} />
      </div>
      {card && <State card={card} short={props.short} />}
      {card && (
        <div className="jp-Swarm-row">
          <Controls
            steering={props.steering}
            host={props.host}
            folder={model.folder}
            name={model.name}
            phase={card.phase}
            alive={card.alive}
            confirms={props.confirms}
          />
          <Button
            expanded={open}
            onPress={() => {
              setOpen(!open);
            }}
          >
            {trans.__('Budget')}
          </Button>
          <Widen widen={props.widen} />
        </div>
      )}
      {open && card && <BudgetForm {...props} budget={card.budget} />}
      {card && <Answers {...props} />}
    </header>
  );
}

/** What a screen reader says of the phase; what is done in it changes several times a second, and is not said. */
function Phase({ card }: { card: W.Card | null }): ReactElement {
  const trans = useTrans();
  const words: Readonly<Record<W.Card['phase'], string>> = {
    unknown: '',
    requested: trans.__('starting'),
    running: trans.__('running'),
    paused: trans.__('paused'),
    done: trans.__('done'),
    stopped: trans.__('stopped'),
    failed: trans.__('failed')
  };
  return (
    <span role="status" className="jp-Swarm-hidden">
      {card && words[card.phase]}
    </span>
  );
}

/** Opens the panel in a tab of its own. */
export function Widen({ widen }: { widen: (() => void) | null }): ReactElement | null {
  const trans = useTrans();
  return widen && <Button onPress={widen}>{trans.__('Open wide')}</Button>;
}

/** Question, spend, answer and alarm. */
function State({ card, short }: { card: W.Card; short: boolean }): ReactElement {
  const trans = useTrans();
  const words = useSpentWords()(card.budget, card.spend);
  const { value, max } = spent(card.budget, card.spend);
  const said = (
    <>
      {card.question && <p className="jp-Swarm-question">{cut(card.question)}</p>}
      {isLost(card) && (
        <p role="status">
          {trans.__(
            'Its runner has ended before its time: the machine was restarted, or the process was killed. What was measured is kept; Resume goes on from there.'
          )}
        </p>
      )}
      {card.why && <p className="jp-Swarm-soft">{cut(card.why)}</p>}
      {card.asked && <p className="jp-Swarm-soft">{trans.__('Asked for and not done yet: %1', card.asked)}</p>}
    </>
  );
  if (short) {
    return said;
  }
  return (
    <>
      {said}
      <Progress label={trans.__('Spent')} value={value} max={max || null} words={words} />
      <Models card={card} />
      {card.alarm && (
        <details className="jp-Swarm-alarm" open>
          <summary>
            <span aria-hidden="true">⚠ </span>
            {trans.__('The cell as it is fails')}
          </summary>
          <pre tabIndex={0}>{cut(card.alarm, 4000)}</pre>
          <p>{trans.__('Mend the cell in the notebook and run it again: that starts a new swarm.')}</p>
        </details>
      )}
      {card.answer && (
        <details className="jp-Swarm-fold">
          <summary>{trans.__('Answer so far')}</summary>
          <p className="jp-Swarm-answer">{cut(card.answer, 1200)}</p>
        </details>
      )}
    </>
  );
}

function Models({ card }: { card: W.Card }): ReactElement | null {
  const trans = useTrans();
  if (!card.models.length) {
    return null;
  }
  const { calls, tokens, dollars } = card.spend;
  const paid = dollars === null ? trans.__('at a price that nobody knows') : `$${number(dollars, 3)}`;
  return (
    <p className="jp-Swarm-soft">
      {trans.__(
        'Models %1: %2 calls, %3 tokens, %4',
        card.models.map(each => cut(each, 60)).join(', '),
        calls,
        tokens.toLocaleString(),
        paid
      )}
    </p>
  );
}

const LINKS: Readonly<Record<Connection['state'], Kind>> = {
  connecting: 'busy',
  live: 'good',
  polling: 'good',
  offline: 'warning',
  gone: 'bad',
  nowhere: 'bad',
  refused: 'bad'
};

/** How news comes, in a word; what it means and what to do stands in its title and, where it matters, in the panel. */
function Link({ model, session }: { model: SwarmModel; session: Session }): ReactElement {
  const trans = useTrans();
  const { state, since, problem } = usePart(model, 'connection', each => each.connection);
  const paused = !session.refreshes;
  const words: Readonly<Record<Connection['state'], string>> = {
    connecting: trans.__('connecting'),
    live: trans.__('live'),
    polling: trans.__('live, every 2 s'),
    offline: trans.__('offline'),
    gone: trans.__('deleted'),
    nowhere: trans.__('no folder'),
    refused: trans.__('refused')
  };
  const title = problem ? `${cut(problem.message)} (${ago(trans, since, model.now())})` : '';
  return (
    <span className="jp-Swarm-link">
      <Badge
        kind={paused ? 'open' : LINKS[state]}
        word={paused ? trans.__('not refreshed') : words[state]}
        title={title}
      />
      {(paused || state === 'offline') && (
        <Button
          onPress={() => {
            session.wake();
          }}
        >
          {paused ? trans.__('Refresh') : trans.__('Try now')}
        </Button>
      )}
    </span>
  );
}

/** A new budget. */
function BudgetForm({ model, host, steering, budget }: HeadProps & { budget: W.Budget }): ReactElement {
  const trans = useTrans();
  const id = useId();
  const why = useWhyNot(model, host);
  const [text, setText] = useState('');
  const limits = [
    budget.seconds ? `${budget.seconds}s` : '',
    budget.experiments ? `${budget.experiments}x` : '',
    budget.dollars ? `$${budget.dollars}` : '',
    budget.tokens ? `${budget.tokens}t` : ''
  ];
  const wrong = text === '' || amount(text) ? undefined : trans.__('Write it as in 5m, 500x or 5m,500x');
  return (
    <form
      className="jp-Swarm-entry"
      onSubmit={event => {
        event.preventDefault();
        if (text && !wrong && !why) {
          void steering.ask('budget', '', text);
          setText('');
        }
      }}
    >
      <label htmlFor={id}>{trans.__('New budget (now %1)', limits.filter(Boolean).join(','))}</label>
      <span className="jp-Swarm-row">
        <input
          className="jp-Swarm-field"
          id={id}
          type="text"
          autoComplete="off"
          placeholder="10m"
          value={text}
          disabled={why !== undefined}
          aria-invalid={wrong !== undefined}
          aria-describedby={`${id}-help`}
          onChange={event => {
            setText(event.target.value);
          }}
        />
        <button
          type="submit"
          className="jp-Swarm-button"
          aria-disabled={(why ?? wrong) ? true : undefined}
          title={why ?? wrong}
        >
          {trans.__('Set')}
        </button>
      </span>
      <small id={`${id}-help`}>{why ?? wrong ?? trans.__('What was spent counts: it has to be more than that.')}</small>
    </form>
  );
}

/** Requests under way, and what the runner says to them; what the state shows (paused) is said by its badge. */
function Answers({ model, steering, session }: HeadProps): ReactElement {
  const trans = useTrans();
  const answers = usePart(model, 'log', each => each.answers);
  const last = answers.at(-1);
  const now = { asked: steering.asked, read: last?.number ?? 0 };
  const [seen, setSeen] = useState(now);
  if (steering.asked !== seen.asked) {
    setSeen(now); // a new request: what was answered before is no news any more
  }
  const news = last && last.number > seen.read ? last : null;
  const failed = steering.pending.filter(each => each.state === 'not taken');
  const sending = steering.pending.filter(each => each.state === 'sending').length;
  return (
    <div className="jp-Swarm-answers" data-version={session.version}>
      <div role="status" aria-live="polite">
        {sending > 0 && <p>{trans._n('Sending %1 request …', 'Sending %1 requests …', sending)}</p>}
        {news && <p>{said(trans.__.bind(trans), news)}</p>}
      </div>
      {news && news.done !== null && (
        <Button
          onPress={() => {
            setSeen(now);
          }}
        >
          {trans.__('Dismiss')}
        </Button>
      )}
      {failed.map(each => (
        <div key={each.id} className="jp-Swarm-row">
          <Failure
            problem={untaken(trans, each)}
            retry={() => {
              steering.retry(each.id);
            }}
          />
          <Button
            onPress={() => {
              steering.forget(each.id);
            }}
          >
            {trans.__('Forget it')}
          </Button>
        </div>
      ))}
    </div>
  );
}

function said(__: (text: string, ...more: string[]) => string, { verb, target, done, answer }: W.Answer): string {
  const what = cut(`${verb} ${target}`.trim(), 120);
  if (done === null) {
    return __('Asked: %1. The runner has not answered yet.', what);
  }
  return done ? __('Done: %1. %2', what, cut(answer)) : __('Refused: %1. %2', what, cut(answer));
}
