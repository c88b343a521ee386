import { useState, type ReactElement } from 'react';

import { useTrans } from '../parts';
import type { Range } from './filter';

/** A list of choices, the first of which is everything. */
export function Choice({
  label,
  all,
  value,
  options,
  onChange
}: {
  label: string;
  /** The words for no choice; null where one has to be made. */
  all: string | null;
  value: string;
  options: readonly { value: string; label: string }[];
  onChange: (value: string) => void;
}): ReactElement {
  const known = value === '' || options.some(option => option.value === value);
  return (
    <label className="jp-Swarm-choice">
      <span>{label}</span>
      <select
        value={value}
        onChange={event => {
          onChange(event.target.value);
        }}
      >
        {all !== null && <option value="">{all}</option>}
        {options.map(option => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
        {!known && <option value={value}>{value}</option>}
      </select>
    </label>
  );
}

/** Two number fields for the ends of a range; an empty one is no end. Enter, or leaving the field, takes it. */
export function RangeFields({
  name,
  range,
  onChange
}: {
  name: string;
  range: Range | null;
  onChange: (range: Range | null) => void;
}): ReactElement {
  const trans = useTrans();
  const { low, high } = range ?? { low: null, high: null };
  const change = (next: Range): void => {
    onChange(next.low === null && next.high === null ? null : next);
  };
  return (
    <span role="group" aria-label={name} className="jp-Swarm-range">
      <span>{name}</span>
      <NumberField
        label={trans.__('%1 from', name)}
        value={low}
        onChange={next => {
          change({ low: next, high });
        }}
      />
      <span aria-hidden="true">…</span>
      <NumberField
        label={trans.__('%1 to', name)}
        value={high}
        onChange={next => {
          change({ low, high: next });
        }}
      />
    </span>
  );
}

function NumberField({
  label,
  value,
  onChange
}: {
  label: string;
  value: number | null;
  onChange: (value: number | null) => void;
}): ReactElement {
  const [draft, setDraft] = useState<string | null>(null);
  const given = value === null ? '' : String(Number(value.toPrecision(6)));
  const wrong = draft !== null && draft.trim() !== '' && !Number.isFinite(Number(draft));
  const take = (): void => {
    if (draft !== null && !wrong && draft.trim() !== given) {
      onChange(draft.trim() === '' ? null : Number(draft));
    }
    if (!wrong) {
      setDraft(null);
    }
  };
  return (
    <input
      type="text"
      inputMode="decimal"
      size={6}
      aria-label={label}
      aria-invalid={wrong}
      value={draft ?? given}
      onChange={event => {
        setDraft(event.target.value);
      }}
      onBlur={take}
      onKeyDown={event => {
        if (event.key === 'Enter') {
          take();
        } else if (event.key === 'Escape') {
          setDraft(null);
        }
      }}
    />
  );
}
