import { useEffect, useState, type ReactElement } from 'react';

import { useTrans } from './translation';

/** Seconds after which waiting is said to be long. */
const LONG = 10;

/** What is waited for; after ten seconds, what to do about it. `since` is by this browser's clock, in seconds. */
export function Loading({ what, since, retry }: { what: string; since?: number; retry?: () => void }): ReactElement {
  const trans = useTrans();
  const long = useLong(since);
  return (
    <div className="jp-Swarm-loading" role="status">
      <span className="jp-Swarm-loading-sign" aria-hidden="true" />
      <p>{trans.__('Waiting for %1 …', what)}</p>
      {long && <p>{trans.__('This takes long. The server may be busy or the network slow; it goes on by itself.')}</p>}
      {long && retry && (
        <button type="button" className="jp-Swarm-button" onClick={retry}>
          {trans.__('Try again now')}
        </button>
      )}
    </div>
  );
}

function useLong(since: number | undefined): boolean {
  const [long, setLong] = useState(false);
  useEffect(() => {
    const waited = since === undefined ? 0 : Math.max(0, Date.now() / 1000 - since);
    const timer = setTimeout(
      () => {
        setLong(true);
      },
      1000 * Math.max(0, LONG - waited)
    );
    return () => {
      clearTimeout(timer);
    };
  }, [since]);
  return long;
}
