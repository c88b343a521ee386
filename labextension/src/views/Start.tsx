import { useEffect, useId, useRef, useState, type ReactElement } from 'react';

import type { Host } from '../host';
import { Button, Empty, useTrans } from '../parts';
import { problemOf } from '../problem';
import type { Session } from '../session';
import type { Target } from '../start/cell';
import { Fields } from '../start/Fields';
import { exceeded, mistakes } from '../start/labels';
import { assigned, type Magic, parsed, parts, written } from '../start/magic';
import { KernelState, useAbility } from '../start/KernelState';
import { type Actions, Outcome, type Work } from '../start/Outcome';
import { useChanges } from '../watch';
import type * as W from '../words';

/** What the form asks of the application besides what all views may ask. */
export interface StartProps {
  session: Session;
  host: Host;
  target: Target;
  /** Leave the form. */
  onClose: () => void;
  /** A swarm of this name begins: asked for at `since`, by this browser's clock; whether its cell has run by now. */
  onStarted: (name: string, folder: string, since: number, ran: boolean) => void;
  /** Run a command of the notebook: `notebook:change-kernel`, `notebook:restart-kernel`. */
  command: (id: string) => void;
}

/** "Swarm this cell": the magic's options as a form, a preview of what is in the cell, and the start. */
export function Start(props: StartProps): ReactElement {
  const { target, onClose } = props;
  const trans = useTrans();
  useChanges(target);
  useChanges(props.session);
  if (!target.present) {
    const next = trans.__('It was deleted, or its notebook was closed. Select another cell and swarm that.');
    return (
      <Empty
        title={trans.__('The cell is gone')}
        next={next}
        action={{ label: trans.__('Back to the list'), run: onClose }}
      />
    );
  }
  return <Form {...props} />;
}

function Form(props: StartProps): ReactElement {
  const { target, session } = props;
  const trans = useTrans();
  const [magic, setMagic] = useForm(target);
  const [work, actions] = useWork(props, magic);
  const limits = session.about?.limits;
  const over = limits ? exceeded(trans, limits, magic) : [];
  const wrong = [target.hindrance, ...mistakes(trans, magic), ...over].filter(each => each !== '');
  const running = 'since' in work;
  const able = useAbility(target.kernelhood);
  const why = running ? trans.__('This is under way') : (wrong[0] ?? able);
  return (
    <form
      className="jp-Swarm-start"
      aria-label={trans.__('Swarm this cell')}
      onSubmit={event => {
        event.preventDefault();
      }}
    >
      <Title {...props} />
      <Fields
        magic={magic}
        onChange={setMagic}
        names={assigned(parts(target.source).body)}
        barred={useBarred(limits)}
      />
      <div className="jp-Swarm-act">
        <Line line={written(magic)} />
        <div role="status">
          {wrong.length > 0 && (
            <ul className="jp-Swarm-wrong">
              {wrong.map(each => (
                <li key={each}>
                  <span aria-hidden="true">⚠ </span>
                  {each}
                </li>
              ))}
            </ul>
          )}
        </div>
        <KernelState {...props} given={work.state === 'running'} />
        <div className="jp-Swarm-row">
          <Button why={why} onPress={actions.preview}>
            {trans.__('Preview')}
          </Button>
          <Button kind="main" why={why} onPress={actions.start}>
            {trans.__('Start')}
          </Button>
        </div>
      </div>
      <Outcome
        key={work.state}
        work={work}
        line={written(magic)}
        busy={target.kernelhood === 'busy'}
        actions={actions}
      />
    </form>
  );
}

/** The form's values: those of the cell's own line, where it has one. */
function useForm(target: Target): [Magic, (magic: Magic) => void] {
  const [kept, setKept] = useState<Magic | null>(null);
  return [kept ?? proposed(target.source), setKept];
}

function proposed(source: string): Magic {
  const { line, body } = parts(source);
  const read = line === null ? null : parsed(line);
  const magic = read ?? { name: '', values: {}, rest: [] };
  if (magic.values['--maximize'] !== undefined || magic.values['--minimize'] !== undefined) {
    return magic;
  }
  const metric = assigned(body)[0] ?? '';
  const less = /loss|error|mse|mae|rmse|seconds|time|cost/i.test(metric);
  return { ...magic, values: { ...magic.values, [less ? '--minimize' : '--maximize']: metric } };
}

/** Preview and start: one at a time, each with an end, and each can be cancelled, until the notebook has the cell. */
function useWork(props: StartProps, magic: Magic): [Work, Actions] {
  const { target, onStarted, host } = props;
  const [work, setWork] = useState<Work>({ state: 'idle' });
  const under = useRef<AbortController | null>(null);
  useEffect(
    () => () => {
      under.current?.abort();
    },
    []
  );
  const line = written(magic);
  const attempt = (
    state: 'previewing' | 'starting',
    what: (signal: AbortSignal, since: number) => Promise<Work>
  ): void => {
    const control = (under.current = new AbortController());
    const since = Date.now() / 1000;
    setWork({ state, since });
    what(control.signal, since).then(setWork, (error: unknown) => {
      const problem = problemOf(error);
      setWork(problem.cancelled ? { state: 'idle' } : { state: 'failed', problem: problem.problem });
    });
  };
  const preview = (): void => {
    attempt('previewing', async signal => ({ state: 'found', found: await target.preview(line, signal), line }));
  };
  const start = (): void => {
    attempt('starting', async (signal, since) => {
      const done = await target.start(line, signal, () => {
        setWork({ state: 'running', since });
      });
      if (signal.aborted) {
        return { state: 'idle' }; // the form was left: the person is at something else
      }
      if (done === false) {
        return { state: 'failed', problem: refused(host) };
      }
      onStarted(magic.name || 'swarm', target.folder, since, done === true);
      return { state: 'idle' };
    });
  };
  return [work, { preview, start, cancel: () => under.current?.abort() }];
}

function refused({ trans }: Host): W.Problem {
  const cure = trans.__('the reason stands below the cell; mend it and start again');
  return { message: trans.__('The cell was not taken.'), where: '', cure, reason: 'CellError' };
}

// ---------------------------------------------------------------- pieces

function Title({ target, onClose }: StartProps): ReactElement {
  const trans = useTrans();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    heading.current?.focus();
  }, []);
  const number = target.panel.content.widgets.indexOf(target.cell) + 1;
  return (
    <header className="jp-Swarm-start-title">
      <Button onPress={onClose} name={trans.__('Back to the list of swarms')}>
        ←
      </Button>
      <h2 tabIndex={-1} ref={heading}>
        {trans.__('Swarm this cell')}
      </h2>
      <p>{trans.__('Cell %1 of %2', number, target.notebook)}</p>
    </header>
  );
}

/** The magic line as it will stand in the cell. */
function Line({ line }: { line: string }): ReactElement {
  const trans = useTrans();
  const id = useId();
  return (
    <div className="jp-Swarm-line">
      <span id={id}>{trans.__('The cell’s first line will be')}</span>
      <code role="group" aria-labelledby={id} tabIndex={0}>
        {line}
      </code>
    </div>
  );
}

function useBarred(limits: W.Limits | undefined): Record<string, string> {
  const trans = useTrans();
  const why = trans.__('An administrator does not allow this here.');
  return {
    ...(limits && !limits.network ? { '--network': why } : {}),
    ...(limits && !limits.unsafe ? { '--unsafe': why } : {}),
    ...(limits && !limits.gpus ? { '--gpus': why } : {})
  };
}
