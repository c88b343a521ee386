import { useState, type ReactElement } from 'react';

import type { Host } from '../host';
import type { SwarmModel } from '../model';
import { Asked, Button, Code, cut, Dots, Failure, Fold, Loading, useLoad, useTrans, useWhyNot } from '../parts';
import type { Steering } from '../steering';
import type * as W from '../words';
import { Quotes } from './directions/Sources';

/** Runs of one kind that are named; the rest is in the table of runs. */
const MOST = 60;

/** What is shown of a hypothesis. */
export interface HypothesisProps {
  model: SwarmModel;
  steering: Steering;
  host: Host;
  id: string;
  /** Changes when there is something new to ask for: its verdict, its pairs, a person's mark. */
  version: string;
  /** Whether the difference is unfolded from the beginning. */
  diff: boolean;
}

/** A hypothesis, closer: why, how it was judged, on which runs and passages, its code and what differs. */
export function Hypothesis({ model, steering, host, id, version, diff }: HypothesisProps): ReactElement {
  const trans = useTrans();
  const { folder, name } = model;
  const of = `${folder}/${name}/${model.ledger}/${id}`;
  const found = useLoad(`${of}@${version}`, () => host.api.hypothesis(folder, name, id));
  const [kept, setKept] = useState<{ of: string; value: W.Hypothesis } | null>(null);
  if (found.value && found.value !== kept?.value) {
    setKept({ of, value: found.value });
  }
  const shown = found.value ?? (kept?.of === of ? kept.value : null);
  return (
    <div className="jp-Swarm-hypothesis">
      {found.problem && <Failure problem={found.problem} retry={found.again} />}
      {!shown && found.busy && <Loading what={trans.__('the evidence of %1', id)} />}
      {shown && <Evidence hypothesis={shown} {...{ model, steering, host, diff }} />}
    </div>
  );
}

type EvidenceProps = Pick<HypothesisProps, 'model' | 'steering' | 'host' | 'diff'> & { hypothesis: W.Hypothesis };

function Evidence({ hypothesis, model, steering, host, diff }: EvidenceProps): ReactElement {
  const trans = useTrans();
  const { why, refuted_if, judged, plan, gains, citations, screening, confirmation, parent, agent } = hypothesis;
  return (
    <>
      {why && <p>{trans.__('Why: %1', cut(why, 2000))}</p>}
      {refuted_if && <p>{trans.__('What would speak against it: %1', cut(refuted_if, 2000))}</p>}
      <p>
        {parent
          ? trans.__('Proposed by %1, going on from %2', cut(agent, 80), cut(parent, 80))
          : trans.__('Proposed by %1', cut(agent, 80))}
      </p>
      {plan && <p>{plan}</p>}
      {judged && <p>{judged}</p>}
      {gains.length > 0 && (
        <>
          <p>
            {trans._n('Gain of %1 pair, better to the right', 'Gains of %1 pairs, better to the right', gains.length)}
          </p>
          <Dots gains={gains} label={trans.__('Gains')} />
        </>
      )}
      <RunLinks label={trans.__('Runs that judge it')} numbers={confirmation} host={host} />
      <RunLinks label={trans.__('Other runs of it')} numbers={screening} host={host} />
      {citations.length > 0 && (
        <Fold summary={trans._n('%1 passage', '%1 passages', citations.length)} open>
          {() => (
            <Quotes
              citations={citations}
              onOpen={passage => {
                host.goTo('papers', passage);
              }}
            />
          )}
        </Fold>
      )}
      <Codes {...{ hypothesis, model, steering, host, diff }} />
    </>
  );
}

function Codes({ hypothesis, model, steering, host, diff }: EvidenceProps): ReactElement {
  const trans = useTrans();
  const { id, code, reference, audited, mark, judged } = hypothesis;
  const why = useWhyNot(model, host, judged !== ''); // who reads it after the end approves it then
  return (
    <>
      <Fold summary={trans.__('The difference from its reference')} open={diff}>
        {() => (
          <>
            <Code diff text={hypothesis.diff || trans.__('There is none.')} label={trans.__('Difference of %1', id)} />
            {!audited && (
              <div className="jp-Swarm-buttons">
                <Button
                  kind="main"
                  why={why ?? (mark === 'vetoed' ? trans.__('You have vetoed it') : undefined)}
                  onPress={() => {
                    steering.ask('approve', id).catch(() => undefined);
                  }}
                >
                  {trans.__('I have read it: approve')}
                </Button>
              </div>
            )}
          </>
        )}
      </Fold>
      <Fold summary={trans.__('Its cell')}>{() => <Code text={code} label={trans.__('The cell of %1', id)} />}</Fold>
      <Fold summary={trans.__('Its reference')}>
        {() => <Code text={reference} label={trans.__('The reference of %1', id)} />}
      </Fold>
      <Asked model={model} steering={steering} verbs={['approve', 'veto']} target={id} />
    </>
  );
}

function RunLinks({ label, numbers, host }: { label: string; numbers: number[]; host: Host }): ReactElement | null {
  const trans = useTrans();
  if (!numbers.length) {
    return null;
  }
  return (
    <p className="jp-Swarm-runlinks">
      <span>{label}</span>
      {numbers.slice(0, MOST).map(number => (
        <Button
          key={number}
          kind="link"
          name={trans.__('Run #%1', number)}
          onPress={() => {
            host.goTo('runs', `number:${number}`);
          }}
        >
          {`#${number}`}
        </Button>
      ))}
      {numbers.length > MOST && <span>{trans.__('and %1 more', numbers.length - MOST)}</span>}
    </p>
  );
}
