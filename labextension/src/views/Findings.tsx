import { useCallback, useEffect, useRef, useState, type MutableRefObject, type ReactElement } from 'react';

import type { Host } from '../host';
import { usePart, type SwarmModel } from '../model';
import {
  Asked,
  Button,
  cut,
  Empty,
  Fold,
  Loading,
  More,
  number,
  scaleOf,
  useTask,
  useTrans,
  useWhyNot
} from '../parts';
import type { Steering } from '../steering';
import type * as W from '../words';
import { FindingCard, type Unfolded } from './findings/FindingCard';
import { insertCell } from './findings/useEvidence';
import type { Held } from './findings/useKeptFocus';
import { Hypothesis } from './Hypothesis';

/** Findings of a group that are drawn at first, and more with each press. */
const STEP = 25;
const GROUPS = ['supported', 'testing', 'refuted', 'open'] as const;

/** What every section is given; `argument` is a hypothesis (`H7`) or a direction (`direction:D3`). */
interface Props {
  model: SwarmModel;
  steering: Steering;
  host: Host;
  argument?: string;
}

/** What was found, tested or refuted, in groups, on one axis. */
export function Findings({ model, steering, host, argument }: Props): ReactElement {
  const trans = useTrans();
  const all = usePart(model, 'findings', each => each.findings);
  const card = usePart(model, 'card', each => each.card);
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // Once for each argument: what is wanted may go to another group later, and takes nobody along.
    const cards = root.current?.querySelectorAll<HTMLElement>('.jp-Swarm-finding') ?? [];
    [...cards].find(each => each.dataset.id === argument)?.scrollIntoView({ block: 'start' });
  }, [argument]);
  const direction = argument?.startsWith('direction:') ? argument.slice('direction:'.length) : null;
  const findings = direction === null ? all : all.filter(each => each.direction === direction);
  const alone = argument && direction === null && !all.some(each => each.id === argument) ? argument : null;
  if (!card) {
    return <Loading what={trans.__('the findings')} />;
  }
  return (
    <div ref={root} className="jp-Swarm-findings">
      <Best {...{ card, host }} />
      <Asked model={model} steering={steering} verbs={['replicate']} target={null} />
      {direction !== null && (
        <p className="jp-Swarm-buttons">
          <span>{trans.__('Only those of %1', direction)}</span>
          <Button
            onPress={() => {
              host.goTo('findings');
            }}
          >
            {trans.__('Show all')}
          </Button>
        </p>
      )}
      {alone !== null && <Alone key={alone} {...{ model, steering, host }} id={alone} />}
      {findings.length === 0 ? (
        <Empty
          title={trans.__('No finding yet')}
          next={trans.__(
            'What looks promising in screening is tested on seeds that nobody has seen; verdicts stand here.'
          )}
        />
      ) : (
        <Groups {...{ model, steering, host, findings }} wanted={argument} />
      )}
      <Failed card={card} />
    </div>
  );
}

/** A hypothesis that was asked for and is no finding. */
function Alone({ id, ...rest }: Omit<Props, 'argument'> & { id: string }): ReactElement {
  const trans = useTrans();
  const section = useRef<HTMLElement>(null);
  useEffect(() => {
    section.current?.scrollIntoView({ block: 'start' });
  }, []);
  return (
    <section ref={section} className="jp-Swarm-finding" aria-label={id}>
      <p>{trans.__('%1 has no plan: it was only looked at, and is no finding.', cut(id, 40))}</p>
      <Hypothesis {...rest} id={id} version="" diff={false} />
    </section>
  );
}

type GroupsProps = Omit<Props, 'argument'> & { findings: W.Finding[]; wanted: string | undefined };

function Groups({ findings, wanted, ...rest }: GroupsProps): ReactElement {
  const trans = useTrans();
  const why = useWhyNot(rest.model, rest.host);
  const heldRef = useRef<Held | null>(null);
  useEffect(() => {
    heldRef.current = null; // of a card that came back nowhere
  });
  const [unfolded, setUnfolded] = useState<ReadonlyMap<string, Unfolded>>(new Map());
  const onUnfold = useCallback((id: string, what: Unfolded) => {
    setUnfolded(before => new Map(before).set(id, what));
  }, []);
  const scale = scaleOf(findings);
  const key = scale.join();
  const [kept, setKept] = useState({ key, scale });
  if (kept.key !== key) {
    setKept({ key, scale });
  }
  const titles = {
    supported: trans.__('Supported'),
    testing: trans.__('Being tested'),
    refuted: trans.__('Refuted'),
    open: trans.__('Open: neither supported nor refuted')
  };
  return (
    <>
      <p className="jp-Swarm-findings-scale">
        {trans.__(
          'Effects on one axis, from %1 to %2; better is to the right.',
          number(scale[0], 2),
          number(scale[1], 2)
        )}
      </p>
      <Reading />
      {GROUPS.map(verdict => (
        <Group
          key={verdict}
          title={titles[verdict]}
          findings={findings.filter(each => each.verdict === verdict)}
          {...{ ...rest, wanted, why, unfolded, onUnfold, heldRef }}
          scale={kept.scale}
        />
      ))}
    </>
  );
}

/** What the figures mean. */
function Reading(): ReactElement {
  const trans = useTrans();
  return (
    <Fold summary={trans.__('How to read this')}>
      {() => (
        <ul>
          <li>
            {trans.__('Effect: the mean difference of pairs of runs, variation against reference, on the same seed.')}
          </li>
          <li>
            {trans.__(
              'e-value: how strongly the pairs speak for an effect; by chance 20 or more comes up in at most 1 of 20.'
            )}
          </li>
          <li>{trans.__('A dashed interval has an end that so few pairs could not bound.')}</li>
          <li>{trans.__('Refuted: the pairs speak against an effect as large as the margin. Open: neither.')}</li>
        </ul>
      )}
    </Fold>
  );
}

type GroupProps = GroupsProps & {
  title: string;
  why: string | undefined;
  scale: readonly [number, number];
  /** What a person has unfolded, or folded, by its id: it stays so where a verdict takes it to another group. */
  unfolded: ReadonlyMap<string, Unfolded>;
  onUnfold: (id: string, unfolded: Unfolded) => void;
  heldRef: MutableRefObject<Held | null>;
};

function Group({ title, findings, wanted, unfolded, ...rest }: GroupProps): ReactElement | null {
  const [pages, setPages] = useState(1);
  if (!findings.length) {
    return null;
  }
  const place = findings.findIndex(each => each.id === wanted);
  const shown = Math.max(STEP * pages, place + 1);
  return (
    <section aria-label={title}>
      <h3>
        {title} ({findings.length})
      </h3>
      <ul className="jp-Swarm-finding-list">
        {findings.slice(0, shown).map(finding => (
          <FindingCard
            key={finding.id}
            finding={finding}
            unfolded={unfolded.get(finding.id) ?? (finding.id === wanted ? 'evidence' : 'no')}
            {...rest}
          />
        ))}
      </ul>
      <More
        shown={shown}
        all={findings.length}
        step={STEP}
        onMore={() => {
          setPages(before => before + 1);
        }}
      />
    </section>
  );
}

function Best({ card, host }: { card: W.Card; host: Host }): ReactElement | null {
  const trans = useTrans();
  const [busy, run] = useTask(host);
  const { best, metric } = card;
  if (!best) {
    return null;
  }
  const interval = [number(best.low), number(best.high)];
  return (
    <section className="jp-Swarm-best" aria-label={trans.__('The best cell')}>
      <p>
        {trans.__('Best cell: %1 %2 [%3, %4]', cut(metric, 80), number(best.mean), ...interval)},{' '}
        {trans._n(
          'measured again by %1 run on untouched seeds',
          'measured again by %1 runs on untouched seeds',
          best.runs
        )}
      </p>
      <div className="jp-Swarm-buttons">
        <Button
          kind="main"
          why={busy ? trans.__('Already under way') : undefined}
          onPress={() => {
            run(() => insertCell(host, best.code, trans.__('The best cell stands below the active one.')));
          }}
        >
          {trans.__('Insert the best cell')}
        </Button>
        {best.hypothesis && (
          <Button
            kind="link"
            onPress={() => {
              host.goTo('findings', best.hypothesis);
            }}
          >
            {trans.__('It is %1', best.hypothesis)}
          </Button>
        )}
      </div>
    </section>
  );
}

/** What was tried and failed, with counts. */
function Failed({ card }: { card: W.Card }): ReactElement | null {
  const trans = useTrans();
  const reasons = Object.entries(card.failures).sort((a, b) => b[1] - a[1]);
  const all = reasons.reduce((sum, [, count]) => sum + count, 0);
  if (!all && !card.refuted) {
    return null;
  }
  return (
    <Fold summary={trans.__('Tried and failed: refuted %1, without a value %2', card.refuted, all)}>
      {() => (
        <ul>
          <li>{trans._n('%1 idea was refuted', '%1 ideas were refuted', card.refuted)}</li>
          {reasons.map(([reason, count]) => (
            <li key={reason}>{trans._n('%1 run: %2', '%1 runs: %2', count, cut(reason, 120))}</li>
          ))}
        </ul>
      )}
    </Fold>
  );
}
