import { useState, type ReactElement } from 'react';

import { number, useTrans } from '../../parts';
import { MOST } from './order';

/** The slider's end; larger priorities are typed. */
const SLIDER = 5;
const STEP = 0.5;

/** A priority as it stands, as it was asked for, and how to ask. */
export interface PriorityProps {
  title: string;
  /** As the runner has it. */
  priority: number;
  /** As it was asked for; null where nothing is under way. */
  asked: number | null;
  why: string | undefined;
  onAsk: (priority: number) => void;
}

/** A slider and a field: what is under a person's hand stays there, whatever news comes meanwhile. */
export function Priority({ title, priority, asked, why, onAsk }: PriorityProps): ReactElement {
  const trans = useTrans();
  const [draft, setDraft] = useState<number | null>(null);
  const shown = draft ?? asked ?? priority;
  const send = (): void => {
    setDraft(null);
    if (draft !== null && draft !== (asked ?? priority)) {
      onAsk(draft);
    }
  };
  return (
    <div className="jp-Swarm-priority" title={why}>
      <span aria-hidden="true">{trans.__('Priority')}</span>
      <input
        type="range"
        min={0}
        max={SLIDER}
        step={STEP}
        value={Math.min(SLIDER, shown)}
        disabled={why !== undefined}
        aria-label={trans.__('Priority of %1', title)}
        aria-valuetext={shown === 0 ? trans.__('0, rests') : number(shown)}
        onChange={event => {
          setDraft(Number(event.target.value));
        }}
        onPointerUp={send}
        onKeyUp={send}
        onBlur={send}
      />
      <Typed title={title} shown={shown} why={why} onAsk={onAsk} />
      {asked !== null && <span className="jp-Swarm-priority-asked">{trans.__('asked %1', number(asked))}</span>}
      {asked === null && priority === 0 && <span>{trans.__('rests')}</span>}
    </div>
  );
}

/** The same as a number; Enter or leaving the field sends it, Escape takes it back. */
function Typed({
  title,
  shown,
  why,
  onAsk
}: Pick<PriorityProps, 'title' | 'why' | 'onAsk'> & { shown: number }): ReactElement {
  const trans = useTrans();
  const [typed, setTyped] = useState<string | null>(null);
  const value = typed === null || typed.trim() === '' ? null : Number(typed);
  const wrong = typed !== null && (value === null || !(value >= 0 && value <= MOST));
  const send = (): void => {
    setTyped(null);
    if (value !== null && !wrong && value !== shown) {
      onAsk(value);
    }
  };
  return (
    <input
      className="jp-Swarm-field"
      type="number"
      min={0}
      max={MOST}
      step="any"
      value={typed ?? String(shown)}
      disabled={why !== undefined}
      aria-label={trans.__('Priority of %1, 0 (rests) to 100', title)}
      aria-invalid={wrong}
      title={wrong ? trans.__('A number from 0 (rests) to 100') : why}
      onChange={event => {
        setTyped(event.target.value);
      }}
      onBlur={send}
      onKeyDown={event => {
        if (event.key === 'Enter') {
          send();
        } else if (event.key === 'Escape' && typed !== null) {
          event.stopPropagation();
          setTyped(null);
        }
      }}
    />
  );
}
