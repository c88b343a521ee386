import { folderIcon } from '@jupyterlab/ui-components';
import { useId, useState, type ReactElement } from 'react';

import type { Host } from '../host';
import { ago, Button, cut, Failure, Loading, useLoad, useTrans } from '../parts';
import type { Session } from '../session';
import { Widen } from './Head';

/** What it is given. */
export interface FoldersProps {
  session: Session;
  host: Host;
  here: () => string;
  widen: (() => void) | null;
}

/** Which folder's swarms are shown, and the way to another. */
export function Folders({ session, host, here, widen }: FoldersProps): ReactElement {
  const trans = useTrans();
  const [open, setOpen] = useState(false);
  const id = useId();
  const folder = session.folder || '/';
  const fixed = session.about?.fixed === true;
  return (
    <div className="jp-Swarm-folders">
      <div className="jp-Swarm-row">
        <span className="jp-Swarm-folder" title={folder}>
          <folderIcon.react tag="span" className="jp-Swarm-icon" />
          <span className="jp-Swarm-hidden">{trans.__('Folder')} </span>
          {cut(folder, 120)}
        </span>
        <Button
          expanded={open}
          why={fixed ? trans.__('The server keeps all swarms in this folder') : undefined}
          onPress={() => {
            setOpen(!open);
          }}
        >
          {trans.__('Change')}
        </Button>
        <Widen widen={widen} />
      </div>
      {open && (
        <div id={id} className="jp-Swarm-chooser">
          <Choice
            session={session}
            host={host}
            here={here}
            onDone={() => {
              setOpen(false);
            }}
          />
        </div>
      )}
    </div>
  );
}

interface ChoiceProps {
  session: Session;
  host: Host;
  here: () => string;
  onDone: () => void;
}

function Choice({ session, host, here, onDone }: ChoiceProps): ReactElement {
  const trans = useTrans();
  const places = useLoad('workspaces', () => host.api.workspaces());
  const follow = (
    <Button
      why={session.picked ? undefined : trans.__('It does so already')}
      onPress={() => {
        session.unpick(here());
        onDone();
      }}
    >
      {trans.__('Follow the current notebook')}
    </Button>
  );
  if (places.problem) {
    return (
      <>
        <Failure problem={places.problem} retry={places.again} />
        {follow}
      </>
    );
  }
  if (!places.value) {
    return <Loading what={trans.__('the folders that have swarms')} />;
  }
  return (
    <>
      {follow}
      <ul className="jp-Swarm-plain" aria-label={trans.__('Folders that have swarms')}>
        {places.value.places.map(place => (
          <li key={place.folder} className="jp-Swarm-row">
            <Button
              kind="link"
              onPress={() => {
                session.pick(place.folder);
                onDone();
              }}
            >
              {cut(place.folder || '/', 120)}
            </Button>
            <span className="jp-Swarm-soft">
              {trans._n('%1 swarm', '%1 swarms', place.swarms)} · {ago(trans, place.updated, session.now())}
            </span>
          </li>
        ))}
      </ul>
      {!places.value.places.length && <p>{trans.__('No folder has any yet.')}</p>}
      {!places.value.whole && (
        <p className="jp-Swarm-soft">{trans.__('There are too many folders to look at all: others may have some.')}</p>
      )}
    </>
  );
}
