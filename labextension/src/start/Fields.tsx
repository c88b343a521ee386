import { useId, useState, type ReactElement } from 'react';

import { useTrans } from '../parts';
import { labels } from './labels';
import { type Magic, type Option, OPTIONS } from './magic';

/** The options that most people set; of the others, those are folded that the cell's line does not have. */
const COMMON = ['--budget', '--agents', '--vary', '--fix', '--model'];
/** Both say what is measured, in a field of their own. */
const OBJECTIVE = ['--maximize', '--minimize'];

/** A form's state, and how it is changed. */
export interface FieldsProps {
  magic: Magic;
  onChange: (magic: Magic) => void;
  /** Names that the cell assigns. */
  names: readonly string[];
  /** Options that an administrator does not allow → why. */
  barred: Readonly<Record<string, string>>;
}

/** The magic's options as fields: what is measured, name and common ones open, the rest folded. */
export function Fields(props: FieldsProps): ReactElement {
  const trans = useTrans();
  const [open] = useState(() => [...COMMON, ...Object.keys(props.magic.values)]);
  const options = OPTIONS.filter(option => !OBJECTIVE.includes(option.name));
  const shown = options.filter(option => open.includes(option.name));
  const folded = options.filter(option => !open.includes(option.name));
  const set = folded.filter(option => props.magic.values[option.name]).length;
  return (
    <div className="jp-Swarm-fields">
      <Objective {...props} />
      <Named {...props} />
      {shown.map(option => (
        <Field key={option.name} option={option} {...props} />
      ))}
      <details className="jp-Swarm-fold">
        <summary>{set ? trans.__('More options (%1 set)', set) : trans.__('More options')}</summary>
        <div className="jp-Swarm-fields">
          {folded.map(option => (
            <Field key={option.name} option={option} {...props} />
          ))}
        </div>
      </details>
    </div>
  );
}

/** What to measure, and which way is better. */
function Objective({ magic, onChange, names }: FieldsProps): ReactElement {
  const trans = useTrans();
  const id = useId();
  const way = magic.values['--minimize'] !== undefined ? '--minimize' : '--maximize';
  const metric = magic.values[way] ?? '';
  const change = (to: string, name: string): void => {
    const others = Object.entries(magic.values).filter(([key]) => !OBJECTIVE.includes(key));
    onChange({ ...magic, values: { ...Object.fromEntries(others), [to]: name } });
  };
  const all = metric && !names.includes(metric) ? [metric, ...names] : names;
  return (
    <fieldset className="jp-Swarm-entry jp-Swarm-objective">
      <legend>{trans.__('What is measured')}</legend>
      <select
        className="jp-Swarm-field"
        aria-label={trans.__('Which way is better')}
        value={way}
        onChange={event => {
          change(event.target.value, metric);
        }}
      >
        <option value="--maximize">{trans.__('maximize')}</option>
        <option value="--minimize">{trans.__('minimize')}</option>
      </select>
      <select
        className="jp-Swarm-field"
        aria-label={trans.__('Metric')}
        aria-describedby={id}
        value={metric}
        onChange={event => {
          change(way, event.target.value);
        }}
      >
        {!metric && <option value="">{trans.__('choose …')}</option>}
        {all.map(name => (
          <option key={name} value={name}>
            {name}
          </option>
        ))}
      </select>
      <small id={id}>
        {names.length
          ? trans.__('A name that the cell assigns.')
          : trans.__('The cell assigns no name: let it, as in score = …')}
      </small>
    </fieldset>
  );
}

function Named({ magic, onChange }: FieldsProps): ReactElement {
  const trans = useTrans();
  const id = useId();
  return (
    <div className="jp-Swarm-entry">
      <label htmlFor={id}>{trans.__('Name')}</label>
      <input
        className="jp-Swarm-field"
        id={id}
        type="text"
        autoComplete="off"
        spellCheck={false}
        placeholder="swarm"
        value={magic.name}
        onChange={event => {
          onChange({ ...magic, name: event.target.value });
        }}
      />
    </div>
  );
}

function Field({ option, magic, onChange, barred }: FieldsProps & { option: Option }): ReactElement {
  const trans = useTrans();
  const id = useId();
  const { label, help } = labels(trans)[option.name] ?? { label: option.name, help: '' };
  const why = barred[option.name];
  const value = magic.values[option.name] ?? '';
  const change = (text: string): void => {
    onChange({ ...magic, values: { ...magic.values, [option.name]: text } });
  };
  const said = why ?? help;
  const common = { id, 'aria-describedby': said ? `${id}-help` : undefined, disabled: Boolean(why) && !value };
  return (
    <div className="jp-Swarm-entry" data-kind={option.kind}>
      <Input option={option} value={value} change={change} common={common} />
      <label htmlFor={id}>{label}</label>
      {said && <small id={`${id}-help`}>{said}</small>}
    </div>
  );
}

interface InputProps {
  option: Option;
  value: string;
  change: (text: string) => void;
  common: { id: string; 'aria-describedby': string | undefined; disabled: boolean };
}

function Input({ option, value, change, common }: InputProps): ReactElement {
  const onChange = (event: { target: { value: string } }): void => {
    change(event.target.value);
  };
  if (option.kind === 'flag') {
    return (
      <input
        {...common}
        type="checkbox"
        checked={value !== ''}
        onChange={event => {
          change(event.target.checked ? 'on' : '');
        }}
      />
    );
  }
  if (option.kind === 'choice') {
    return (
      <select className="jp-Swarm-field" {...common} value={value} onChange={onChange}>
        {['', ...(option.choices ?? [])].map(choice => (
          <option key={choice} value={choice}>
            {choice || '–'}
          </option>
        ))}
      </select>
    );
  }
  if (option.kind === 'lines') {
    return (
      <textarea className="jp-Swarm-field" {...common} rows={2} spellCheck={false} value={value} onChange={onChange} />
    );
  }
  const mode = option.kind === 'count' ? 'numeric' : 'text';
  return (
    <input
      className="jp-Swarm-field"
      {...common}
      type="text"
      inputMode={mode}
      autoComplete="off"
      spellCheck={false}
      value={value}
      onChange={onChange}
    />
  );
}
