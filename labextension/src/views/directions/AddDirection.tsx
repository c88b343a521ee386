import { useState, type ReactElement } from 'react';

import type { SwarmModel } from '../../model';
import { Asked, Button, cut, Fold, useTrans } from '../../parts';
import type { Steering } from '../../steering';
import type * as W from '../../words';

/** Names of what may vary that are offered. */
const HINTS = 40;

/** A form: say in words what to look at. */
export function AddDirection({
  model,
  steering,
  why
}: {
  model: SwarmModel;
  steering: Steering;
  why: string | undefined;
}): ReactElement {
  const trans = useTrans();
  const [words, setWords] = useState('');
  const missing = words.trim() === '' ? trans.__('Say in words what to look at') : undefined;
  const send = (): void => {
    if (why === undefined && missing === undefined) {
      steering.ask('add', words.trim()).catch(() => undefined);
      setWords('');
    }
  };
  return (
    <form
      className="jp-Swarm-add"
      onSubmit={event => {
        event.preventDefault();
        send();
      }}
    >
      <span aria-hidden="true">{trans.__('Add a direction, in words')}</span>
      <div className="jp-Swarm-add-row">
        <input
          aria-label={trans.__('Add a direction, in words')}
          className="jp-Swarm-field"
          value={words}
          maxLength={500}
          placeholder={trans.__('as in: stronger regularisation')}
          onChange={event => {
            setWords(event.target.value);
          }}
        />
        <Button kind="main" why={why ?? missing} onPress={send}>
          {trans.__('Add')}
        </Button>
      </div>
      {model.knobs.length > 0 && (
        <Fold summary={trans._n('%1 value of the cell may vary', '%1 values of the cell may vary', model.knobs.length)}>
          {() => (
            <Hints
              knobs={model.knobs}
              onTake={name => {
                setWords(before => `${before} ${name}`.trim());
              }}
            />
          )}
        </Fold>
      )}
      <Asked model={model} steering={steering} verbs={['add']} target={null} />
    </form>
  );
}

function Hints({ knobs, onTake }: { knobs: W.Knob[]; onTake: (name: string) => void }): ReactElement {
  const trans = useTrans();
  return (
    <p className="jp-Swarm-hints">
      {knobs.slice(0, HINTS).map(({ name, value }) => (
        <Button
          key={name}
          name={trans.__('%1: put in', cut(`${name} = ${String(value)}`, 60))}
          onPress={() => {
            onTake(name);
          }}
        >
          {cut(`${name} = ${String(value)}`, 60)}
        </Button>
      ))}
      {knobs.length > HINTS && <span>{trans.__('and %1 more', knobs.length - HINTS)}</span>}
    </p>
  );
}
