import { memo, useRef, type MutableRefObject, type ReactElement } from 'react';

import type { Host } from '../../host';
import type { SwarmModel } from '../../model';
import { Ask, Asked, Badge, Button, cut, Interval, number, signed, useTrans, type Kind, type Scale } from '../../parts';
import type { Steering } from '../../steering';
import type * as W from '../../words';
import { Hypothesis } from '../Hypothesis';
import { useEvidence } from './useEvidence';
import { type Held, useKeptFocus } from './useKeptFocus';

/** What of a finding is unfolded. */
export type Unfolded = 'no' | 'evidence' | 'difference';

/** A finding and the axis that it shares with the others. */
export interface FindingProps {
  finding: W.Finding;
  scale: Scale;
  model: SwarmModel;
  steering: Steering;
  host: Host;
  why: string | undefined;
  unfolded: Unfolded;
  onUnfold: (id: string, unfolded: Unfolded) => void;
  /** Where the focus was in a card that went to another group. */
  heldRef: MutableRefObject<Held | null>;
}

const KINDS: Readonly<Record<W.Finding['verdict'], Kind>> = {
  supported: 'good',
  refuted: 'bad',
  open: 'open',
  testing: 'busy'
};
/** Cost ratios beyond which the cost is said. */
const DEARER = 1.1;
/** An e-value beyond which its size says nothing more: that of findings that are exact, and kept finite. */
const VAST = 1e12;

/** One finding: statement, verdict, effect in its interval, what it holds over, and the evidence one click away. */
export const FindingCard = memo(function FindingCard(props: FindingProps): ReactElement {
  const { finding, scale, model, steering, host, unfolded: shown, onUnfold, heldRef } = props;
  const trans = useTrans();
  const card = useRef<HTMLLIElement>(null);
  useKeptFocus(card, finding.id, heldRef);
  const unread = finding.verdict === 'supported' && !finding.audited;
  return (
    <li ref={card} className="jp-Swarm-finding" data-id={finding.id} data-verdict={finding.verdict}>
      <p className="jp-Swarm-finding-head">
        <span className="jp-Swarm-id">{finding.id}</span> <Verdict finding={finding} />{' '}
        <span className="jp-Swarm-finding-statement">{cut(finding.statement, 400)}</span>
      </p>
      <Effect finding={finding} scale={scale} />
      <Details finding={finding} host={host} />
      {unread && (
        <Unaudited
          shown={shown === 'difference'}
          onShow={() => {
            onUnfold(finding.id, 'difference');
          }}
        />
      )}
      <Buttons
        {...props}
        open={shown !== 'no'}
        onOpen={() => {
          onUnfold(finding.id, shown === 'no' ? 'evidence' : 'no');
        }}
      />
      {shown === 'no' && <Asked model={model} steering={steering} verbs={['approve', 'veto']} target={finding.id} />}
      {shown !== 'no' && (
        <section aria-label={trans.__('Evidence of %1', finding.id)}>
          <Hypothesis
            key={shown}
            {...{ model, steering, host }}
            id={finding.id}
            version={[finding.verdict, finding.pairs, finding.mark, finding.audited].join()}
            diff={shown === 'difference'}
          />
        </section>
      )}
    </li>
  );
});

function Verdict({ finding }: { finding: W.Finding }): ReactElement {
  const trans = useTrans();
  const words = {
    supported: trans.__('supported'),
    refuted: trans.__('refuted'),
    open: trans.__('open'),
    testing: trans.__('testing')
  };
  const marks: Readonly<Record<string, string>> = {
    approved: trans.__('approved by you'),
    vetoed: trans.__('vetoed by you')
  };
  const mark = marks[finding.mark];
  return (
    <>
      <Badge kind={KINDS[finding.verdict]} word={words[finding.verdict]} />
      {finding.verdict === 'supported' && !finding.audited && <Badge kind="warning" word={trans.__('unaudited')} />}
      {mark && <Badge kind="plain" word={mark} />}
    </>
  );
}

function Effect({ finding, scale }: { finding: W.Finding; scale: Scale }): ReactElement | null {
  const trans = useTrans();
  const { effect, low, high } = finding;
  if (effect === null) {
    return null;
  }
  const end = (value: number | null): string => (value === null ? trans.__('unbounded') : signed(value));
  return (
    <div className="jp-Swarm-finding-effect">
      <span>{trans.__('%1 [%2, %3]', signed(effect), end(low), end(high))}</span>
      <Interval effect={effect} low={low} high={high} scale={scale} label={trans.__('effect')} gain />
    </div>
  );
}

function Details({ finding, host }: { finding: W.Finding; host: Host }): ReactElement {
  const trans = useTrans();
  const { scope, pairs, planned, e_value, cost_ratio, new_data, note, direction, citations } = finding;
  return (
    <p className="jp-Swarm-finding-details">
      <span>
        {planned ? trans.__('%1 of at most %2 pairs', pairs, planned) : trans._n('%1 pair', '%1 pairs', pairs)}
      </span>
      {e_value !== null && (
        <span>{e_value < VAST ? trans.__('e-value %1', number(e_value, 3)) : trans.__('e-value beyond 10¹²')}</span>
      )}
      {scope && <span>{scope}</span>}
      {cost_ratio > DEARER && <span>{trans.__('takes %1 times as long', number(cost_ratio, 2))}</span>}
      {cost_ratio < 1 / DEARER && <span>{trans.__('takes %1 of the time', number(cost_ratio, 2))}</span>}
      {new_data && <span>{cut(new_data)}</span>}
      {note && <span>{cut(note)}</span>}
      {citations > 0 && <span>{trans._n('%1 passage', '%1 passages', citations)}</span>}
      {direction && (
        <Button
          kind="link"
          name={trans.__('Direction %1', direction)}
          onPress={() => {
            host.goTo('directions', direction);
          }}
        >
          {direction}
        </Button>
      )}
    </p>
  );
}

function Unaudited({ shown, onShow }: { shown: boolean; onShow: () => void }): ReactElement {
  const trans = useTrans();
  return (
    <div className="jp-Swarm-unaudited">
      <p>
        {trans.__(
          'Unaudited: it rests on code that a language model wrote, not on declared edits of your cell alone. Code can ' +
            'make its own metric, whatever is watched. Read the difference, and approve it where it is honest.'
        )}
      </p>
      {!shown && <Button onPress={onShow}>{trans.__('Show the difference')}</Button>}
    </div>
  );
}

function Buttons(props: FindingProps & { open: boolean; onOpen: () => void }): ReactElement {
  const { finding, model, steering, host, why, open, onOpen } = props;
  const trans = useTrans();
  const { busy, insert, replicate, open: openNotebook } = useEvidence(model, steering, host, finding.id);
  const waiting = busy ? trans.__('Already under way') : undefined;
  const write = host.may.write ? waiting : trans.__('You may look, but not write files here');
  const name = (what: string): string => `${what}: ${finding.id}`;
  return (
    <div className="jp-Swarm-buttons">
      <Button expanded={open} onPress={onOpen} name={name(open ? trans.__('Hide the evidence') : trans.__('Evidence'))}>
        {open ? trans.__('Hide the evidence') : trans.__('Evidence')}
      </Button>
      <Button why={waiting} onPress={insert} name={name(trans.__('Insert its cell'))}>
        {trans.__('Insert its cell')}
      </Button>
      <Button why={write} onPress={openNotebook} name={name(trans.__('Open the notebook'))}>
        {trans.__('Open the notebook')}
      </Button>
      <Button
        why={why ?? waiting}
        title={trans.__('Its cell on three fresh seeds')}
        onPress={replicate}
        name={name(trans.__('Replicate'))}
      >
        {trans.__('Replicate')}
      </Button>
      {finding.verdict === 'testing' && finding.mark !== 'vetoed' && (
        <Ask
          label={trans.__('Veto')}
          name={name(trans.__('Veto'))}
          question={trans.__('Spend nothing more on it?')}
          yes={trans.__('Veto')}
          why={why}
          onYes={() => {
            steering.ask('veto', finding.id).catch(() => undefined);
          }}
        />
      )}
      {busy && <span role="status">{trans.__('Under way …')}</span>}
    </div>
  );
}
