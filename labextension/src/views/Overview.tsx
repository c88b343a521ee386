import type { ReactElement } from 'react';

import { Course } from '../charts/Course';
import type { Host } from '../host';
import { type SwarmModel, usePart } from '../model';
import { Button, cut, duration, Interval, Loading, number, Progress, scaleOf, signed, useTrans } from '../parts';
import { spentBy } from '../runs/spent';
import type { Steering } from '../steering';
import type * as W from '../words';

/** Findings that are shown here; the others stand in their own section. */
const LEADERS = 5;

/** A section of the panel. */
export interface SectionProps {
  model: SwarmModel;
  steering: Steering;
  host: Host;
  argument?: string | undefined;
}

/** Where the swarm stands: its answer so far, what it has spent, its plot, its leaders, and what failed. */
export function Overview({ model, host }: SectionProps): ReactElement {
  const trans = useTrans();
  const card = usePart(model, 'card', each => each.card);
  if (!card) {
    return <Loading what={trans.__('the swarm')} since={model.connection.since} />;
  }
  return (
    <div className="jp-Swarm-overview">
      {card.alarm && <Alarm text={card.alarm} />}
      <Answer card={card} host={host} />
      <Spending card={card} />
      <section aria-label={trans.__('Course')}>
        <h3>{trans.__('Course')}</h3>
        <Course model={model} />
      </section>
      <Leaders model={model} host={host} />
      <Failures card={card} host={host} />
      <Models model={model} card={card} />
    </div>
  );
}

function Alarm({ text }: { text: string }): ReactElement {
  const trans = useTrans();
  return (
    <section className="jp-Swarm-alarm" role="alert">
      <h3>{trans.__('The baseline failed')}</h3>
      <p>
        {trans.__('Nothing can be compared with a cell that does not run. Mend it in the notebook and start again.')}
      </p>
      <pre tabIndex={0}>{cut(text, 4000)}</pre>
    </section>
  );
}

function Answer({ card, host }: { card: W.Card; host: Host }): ReactElement {
  const trans = useTrans();
  const { best, baseline } = card;
  const sign = card.maximize ? 1 : -1;
  return (
    <section aria-label={trans.__('Answer so far')}>
      <h3>{trans.__('Answer so far')}</h3>
      <p className="jp-Swarm-answer">{card.answer ? cut(card.answer, 1200) : trans.__('No answer yet.')}</p>
      {best && (
        <p>
          {trans.__('Best, measured again: %1 %2', cut(card.metric, 60), number(best.mean))}{' '}
          {trans._n('(%2 to %3, %1 run)', '(%2 to %3, %1 runs)', best.runs, number(best.low), number(best.high))}
          {baseline && ` ${trans.__('%1 against the baseline', signed(sign * (best.mean - baseline.mean)))}`}
        </p>
      )}
      {best && <Button onPress={() => void host.insertCell(best.code)}>{trans.__('Insert the best cell')}</Button>}
    </section>
  );
}

function Spending({ card }: { card: W.Card }): ReactElement {
  const trans = useTrans();
  const { budget, spend } = card;
  const bars = [
    { label: trans.__('Time'), value: spend.seconds, max: budget.seconds ?? null, show: duration },
    { label: trans.__('Experiments'), value: spend.experiments, max: budget.experiments ?? null, show: whole },
    { label: trans.__('Tokens'), value: spend.tokens, max: budget.tokens ?? null, show: whole },
    { label: trans.__('Dollars'), value: spend.dollars ?? 0, max: budget.dollars ?? null, show: dollars }
  ].filter((bar, place) => place < 2 || bar.value > 0 || bar.max !== null);
  return (
    <section aria-label={trans.__('Spend')}>
      <h3>{trans.__('Spend')}</h3>
      {bars.map(({ label, value, max, show }) => (
        <Progress
          key={label}
          label={label}
          value={value}
          max={max}
          words={max === null ? show(value) : trans.__('%1 of %2', show(value), show(max))}
        />
      ))}
      <p className="jp-Swarm-soft">
        {trans.__('%1 for screening, %2 for confirmation', whole(spend.screening), whole(spend.confirmation))}
        {card.running > 0 && `; ${trans._n('%1 runs now', '%1 run now', card.running)}`}
        {spend.calls > 0 && spend.dollars === null && `; ${trans.__('nobody knows the models’ price')}`}
      </p>
    </section>
  );
}

function whole(value: number): string {
  return Math.round(value).toLocaleString();
}

function dollars(value: number): string {
  return `$${value.toFixed(value < 1 ? 4 : 2)}`;
}

function Leaders({ model, host }: { model: SwarmModel; host: Host }): ReactElement | null {
  const trans = useTrans();
  const findings = usePart(model, 'findings', each => each.findings);
  const leaders = findings.filter(each => each.verdict === 'supported' && each.mark !== 'vetoed').slice(0, LEADERS);
  const scale = scaleOf(leaders);
  if (leaders.length === 0) {
    return null;
  }
  return (
    <section aria-label={trans.__('Leaders')}>
      <h3>{trans.__('What helps')}</h3>
      <ol className="jp-Swarm-leaders">
        {leaders.map(finding => (
          <li key={finding.id}>
            <Button
              kind="link"
              onPress={() => {
                host.goTo('findings', finding.id);
              }}
            >
              {cut(finding.statement)}
            </Button>
            <span>{signed(finding.effect)}</span>
            <Interval {...finding} scale={scale} label={trans.__('Effect')} gain />
          </li>
        ))}
      </ol>
    </section>
  );
}

function Failures({ card, host }: { card: W.Card; host: Host }): ReactElement | null {
  const trans = useTrans();
  const reasons = Object.entries(card.failures).sort((a, b) => b[1] - a[1]);
  if (reasons.length === 0) {
    return null;
  }
  return (
    <section aria-label={trans.__('Failures')}>
      <h3>{trans.__('Runs without a value')}</h3>
      <ul className="jp-Swarm-reasons">
        {reasons.map(([reason, count]) => (
          <li key={reason}>
            {cut(reason, 120)}: {whole(count)}
          </li>
        ))}
      </ul>
      <Button
        kind="link"
        onPress={() => {
          host.goTo('runs', 'state:none');
        }}
      >
        {trans.__('Show these runs')}
      </Button>
    </section>
  );
}

function Models({ model, card }: { model: SwarmModel; card: W.Card }): ReactElement | null {
  const trans = useTrans();
  const agents = usePart(model, 'agents', each => each.agents);
  const minds = spentBy(agents);
  if (minds.length === 0) {
    return null;
  }
  return (
    <section aria-label={trans.__('Language models')}>
      <h3>{trans.__('Language models')}</h3>
      <table className="jp-Swarm-numbers">
        <thead>
          <tr>
            <th scope="col">{trans.__('Model')}</th>
            <th scope="col">{trans.__('Calls')}</th>
            <th scope="col">{trans.__('Tokens')}</th>
            <th scope="col">{trans.__('Supported')}</th>
          </tr>
        </thead>
        <tbody>
          {minds.map(mind => (
            <tr key={mind.mind}>
              <th scope="row">{cut(mind.mind, 80)}</th>
              <td>{whole(mind.calls)}</td>
              <td>{whole(mind.tokens)}</td>
              <td>{whole(mind.supported)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {card.spend.dollars !== null && <p>{trans.__('Together %1', dollars(card.spend.dollars))}</p>}
    </section>
  );
}
