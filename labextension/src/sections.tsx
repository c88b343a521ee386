import { lazy, Suspense, type ReactElement } from 'react';

import type { Host, Section } from './host';
import { Loading, useTrans } from './parts';
import type { Shown } from './session';

// Each comes when it is first shown: the panel's first paint waits for none of them.
const Overview = lazy(async () => ({ default: (await import('./views/Overview')).Overview }));
const Directions = lazy(async () => ({ default: (await import('./views/Directions')).Directions }));
const Findings = lazy(async () => ({ default: (await import('./views/Findings')).Findings }));
const Runs = lazy(async () => ({ default: (await import('./views/Runs')).Runs }));
const Agents = lazy(async () => ({ default: (await import('./views/Agents')).Agents }));
const Log = lazy(async () => ({ default: (await import('./views/Log')).Log }));
const Papers = lazy(async () => ({ default: (await import('./views/Papers')).Papers }));

const OF_A_SWARM = {
  overview: Overview,
  directions: Directions,
  findings: Findings,
  runs: Runs,
  agents: Agents,
  log: Log
};

/** What a section is made of. */
export interface LaterProps {
  section: Section;
  /** Null where no swarm is shown: papers alone go without. */
  shown: Shown | null;
  host: Host;
  folder: string;
  argument: string | undefined;
}

/** A section, fetched when it is first shown. */
export function Later({ section, shown, host, folder, argument }: LaterProps): ReactElement {
  const trans = useTrans();
  const more = argument === undefined ? {} : { argument };
  const View = section === 'papers' ? null : OF_A_SWARM[section];
  return (
    <Suspense fallback={<Loading what={trans.__('this section')} />}>
      {View && shown ? (
        <View model={shown.model} steering={shown.steering} host={host} {...more} />
      ) : (
        <Papers key={folder} folder={folder} host={host} {...more} />
      )}
    </Suspense>
  );
}
