import type { ReactElement } from 'react';

import { Boundary } from './Boundary';
import { type Section, SECTIONS } from './host';
import { usePart } from './model';
import { Empty, Loading, useTrans } from './parts';
import { type PanelProps, Rights, Trouble } from './Panel';
import { Later } from './sections';
import type { Shown as Swarm } from './session';
import { type Tab, Tabs } from './Tabs';
import { Head } from './views/Head';

/** One swarm: its head, and the section that is chosen. */
export function Shown({ shown, ...props }: PanelProps & { shown: Swarm }): ReactElement {
  const { session, host, navigator, preferences } = props;
  const { model, steering } = shown;
  const trans = useTrans();
  const connection = usePart(model, 'connection', each => each.connection);
  const tabs = useTabs(shown);
  if (connection.state === 'gone' || connection.state === 'nowhere') {
    return <Gone {...props} name={model.name} state={connection.state} />;
  }
  return (
    <>
      <Head
        session={session}
        host={host}
        model={model}
        steering={steering}
        confirms={preferences.confirmStop}
        widen={props.widen}
        short={navigator.section === 'overview'}
      />
      <Trouble session={session} connection={connection} />
      <Rights session={session} />
      <Tabs
        label={trans.__('Sections')}
        tabs={tabs}
        shown={navigator.section}
        onShow={section => {
          navigator.goTo(section);
        }}
      >
        <Boundary trans={trans} key={`${model.folder}/${model.name}/${navigator.section}`}>
          <Here {...props} shown={shown} />
        </Boundary>
      </Tabs>
    </>
  );
}

/** The section, once there is something to show. */
function Here({ host, navigator, shown }: PanelProps & { shown: Swarm }): ReactElement | null {
  const { model } = shown;
  const trans = useTrans();
  const known = usePart(model, 'card', each => each.card !== null);
  const { since, problem } = usePart(model, 'connection', each => each.connection);
  if (!known && navigator.section !== 'papers') {
    if (problem) {
      return null; // said above, with what to do
    }
    return <Loading what={trans.__('the swarm %1', model.name)} since={since} />;
  }
  return (
    <Later section={navigator.section} shown={shown} host={host} folder={model.folder} argument={navigator.argument} />
  );
}

function useTabs({ model }: Swarm): Tab<Section>[] {
  const trans = useTrans();
  const counts: Partial<Record<Section, number>> = {
    directions: usePart(model, 'directions', each => each.directions.length),
    findings: usePart(model, 'findings', each => each.findings.length),
    runs: usePart(model, 'runs', each => each.runs.length),
    agents: usePart(model, 'agents', each => each.agents.length)
  };
  const words: Readonly<Record<Section, string>> = {
    overview: trans.__('Overview'),
    directions: trans.__('Directions'),
    findings: trans.__('Findings'),
    runs: trans.__('Runs'),
    agents: trans.__('Agents'),
    papers: trans.__('Papers'),
    log: trans.__('Log')
  };
  return SECTIONS.map(id => ({ id, label: words[id], ...(counts[id] ? { count: counts[id] } : {}) }));
}

function Gone({ session, name, state }: PanelProps & { name: string; state: 'gone' | 'nowhere' }): ReactElement {
  const trans = useTrans();
  const titles = {
    gone: trans.__('The swarm %1 was deleted', name),
    nowhere: trans.__('The folder of the swarm %1 is gone', name)
  };
  return (
    <Empty
      title={titles[state]}
      next={trans.__(
        'Its workspace was removed or moved. The list shows what is there; should it come back, it is shown again.'
      )}
      action={{
        label: trans.__('Back to the list'),
        run: () => {
          session.show(null);
        }
      }}
    />
  );
}
