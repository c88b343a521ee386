import type { TranslationBundle } from '@jupyterlab/translation';
import { type ReactElement, useState } from 'react';

import { Boundary } from './Boundary';
import type { Host } from './host';
import type { Navigator } from './navigator';
import { ago, Button, cut, Empty, Failure, Loading, Translation, useTrans } from './parts';
import { Shown } from './Shown';
import { Later } from './sections';
import type { Session } from './session';
import type { Preferences } from './settings';
import type { Connection } from './stream';
import { Tabs } from './Tabs';
import { Folders } from './views/Folders';
import { Start } from './views/Start';
import { Swarms } from './views/Swarms';
import { useChanges } from './watch';
import type * as W from './words';

/** What a panel is given: what it shows, how it steers, and what it may ask of the application. */
export interface PanelProps {
  session: Session;
  host: Host;
  navigator: Navigator;
  preferences: Preferences;
  /** The folder of the current notebook, or that of the file browser. */
  here: () => string;
  /** Open the panel wide; null where it is. */
  widen: (() => void) | null;
  /** Run a command of the application. */
  command: (id: string) => void;
}

/** The panel: a form for a cell, one swarm, or the list of them. */
export function Panel(props: PanelProps): ReactElement {
  const { session, host, navigator, preferences } = props;
  useChanges(session);
  useChanges(navigator);
  useChanges(preferences);
  const { target } = navigator;
  const model = session.shown?.model;
  return (
    <Translation.Provider value={host.trans}>
      <div className="jp-Swarm-panel">
        <Boundary trans={host.trans} key={target ? target.id : model && `${model.folder}/${model.name}`}>
          <Content {...props} />
        </Boundary>
      </div>
    </Translation.Provider>
  );
}

function Content(props: PanelProps): ReactElement {
  const { session, host, navigator, command } = props;
  if (navigator.target) {
    return (
      <Start
        session={session}
        host={host}
        target={navigator.target}
        command={command}
        onClose={() => {
          navigator.begin(null);
        }}
        onStarted={(name, folder, since, ran) => {
          navigator.goTo('overview');
          session.expect(name, folder, since, ran);
        }}
      />
    );
  }
  if (session.shown) {
    return <Shown {...props} shown={session.shown} />;
  }
  return <List {...props} />;
}

// ---------------------------------------------------------------- the list

function List(props: PanelProps): ReactElement {
  const { session, host, here } = props;
  const trans = useTrans();
  const [tab, setTab] = useState<'swarms' | 'papers'>('swarms');
  const tabs = [
    { id: 'swarms' as const, label: trans.__('Swarms'), count: session.briefs?.swarms.length ?? 0 },
    { id: 'papers' as const, label: trans.__('Papers') }
  ];
  return (
    <>
      <Folders session={session} host={host} here={here} widen={props.widen} />
      <Trouble session={session} connection={session.connection} />
      <Rights session={session} />
      <Tabs label={trans.__('What this folder has')} tabs={tabs} shown={tab} onShow={setTab}>
        {tab === 'papers' ? (
          <Later section="papers" shown={null} host={host} folder={session.folder} argument={undefined} />
        ) : (
          <Listed {...props} />
        )}
      </Tabs>
    </>
  );
}

function Listed({ session, host, preferences, command }: PanelProps): ReactElement {
  const trans = useTrans();
  const begin = (): void => {
    command('jupyter-swarm:this-cell');
  };
  const { briefs, connection } = session;
  if (!briefs) {
    return connection.problem ? (
      <></>
    ) : (
      <Loading
        what={trans.__('the list of swarms')}
        since={connection.since}
        retry={() => {
          session.wake();
        }}
      />
    );
  }
  if (!briefs.swarms.length) {
    return (
      <Empty
        title={trans.__('No swarm here yet')}
        next={trans.__(
          'Select a notebook cell that trains or measures something, and swarm it: many agents vary it, and what helps is verified.'
        )}
        action={{ label: trans.__('Swarm this cell'), run: begin }}
      />
    );
  }
  return (
    <>
      {session.expected.name && (
        <Loading what={trans.__('%1, which has been started', session.expected.name)} since={session.expected.since} />
      )}
      <Swarms session={session} host={host} confirms={preferences.confirmStop} rows={preferences.rows} />
      <div className="jp-Swarm-row">
        <Button onPress={begin}>{trans.__('Swarm this cell')}</Button>
      </div>
    </>
  );
}

/** What is wrong with the way to the server, and what to do. */
export function Trouble({ session, connection }: { session: Session; connection: Connection }): ReactElement | null {
  const trans = useTrans();
  const retry = (): void => {
    session.wake();
  };
  const { state, problem, since } = connection;
  if (!session.refreshes) {
    return (
      <div className="jp-Swarm-note" role="status">
        <p>{trans.__('Refreshing is off in the settings: what is shown may be old.')}</p>
        {session.problem && <p>{cut(session.problem.message)}</p>}
        <Button onPress={retry}>{trans.__('Refresh')}</Button>
      </div>
    );
  }
  if (problem && state === 'offline' && (session.briefs ?? session.shown?.model.card)) {
    return (
      <div className="jp-Swarm-note" role="status">
        <p>
          <span aria-hidden="true">⚠ </span>
          {trans.__('Not connected (%1): %2', ago(trans, since, session.now()), cut(problem.message))}
        </p>
        <p>{trans.__('What is shown may be old. It connects again by itself; swarms go on meanwhile.')}</p>
        <Button onPress={retry}>{trans.__('Try now')}</Button>
      </div>
    );
  }
  const said = problem && state === 'nowhere' ? absent(trans, problem) : problem;
  return said ? <Failure problem={said} retry={retry} /> : null;
}

/** There is no such folder: what to do about it here, where one is chosen with a button. */
function absent(trans: TranslationBundle, problem: W.Problem): W.Problem {
  const message = trans.__('There is no such folder: it was renamed, moved or deleted.');
  const cure = trans.__(
    'choose another one (Change); should this one come back, its swarms are shown again by themselves'
  );
  return { ...problem, message, cure };
}

/** What this user may not do here. */
export function Rights({ session }: { session: Session }): ReactElement | null {
  const trans = useTrans();
  const { about } = session;
  if (!about || (session.may.write && session.may.execute)) {
    return null;
  }
  const words = about.limits.read_only
    ? trans.__('Read-only: an administrator has switched off starting and steering here.')
    : !about.writes
      ? trans.__('You may look at swarms here, but not steer them. Ask the administrator for the right to write.')
      : trans.__('You may steer, but not start processes here: no resuming, no reports, no papers.');
  return <p className="jp-Swarm-note">{words}</p>;
}
