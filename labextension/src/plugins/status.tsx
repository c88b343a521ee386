import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator, type TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import { type ISignal, Signal } from '@lumino/signaling';
import type { ReactElement } from 'react';

import type { Session } from '../session';
import { useChanges } from '../watch';
import { CommandIDs, ISwarms } from './token';

/** How many swarms of the folder are at work, in the status bar; a click opens the panel. Notebook 7 has no such bar. */
export const statusPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-swarm:status',
  description: 'How many swarms are at work.',
  autoStart: true,
  requires: [ISwarms],
  optional: [IStatusBar, ITranslator],
  activate: (app: JupyterFrontEnd, { session }: ISwarms, bar: IStatusBar | null, translator: ITranslator | null) => {
    if (!bar) {
      return;
    }
    const trans = (translator ?? nullTranslator).load('jupyter_swarm');
    const open = (): void => {
      void app.commands.execute(CommandIDs.open);
    };
    const item = ReactWidget.create(<Status session={session} trans={trans} open={open} />);
    const known = new Known(session);
    bar.registerStatusItem('jupyter-swarm:status', {
      item,
      align: 'left',
      rank: 90,
      isActive: () => known.any,
      activeStateChanged: known.changed
    });
  }
};

/** Whether the folder has any swarm: told when that changes, so that the item appears and goes. */
class Known {
  any = false;
  private readonly signal = new Signal<this, void>(this);

  constructor(session: Session) {
    session.changed.connect(() => {
      const any = (session.briefs?.swarms.length ?? 0) > 0;
      if (any !== this.any) {
        this.any = any;
        this.signal.emit();
      }
    });
  }

  get changed(): ISignal<this, void> {
    return this.signal;
  }
}

interface StatusProps {
  session: Session;
  trans: TranslationBundle;
  open: () => void;
}

function Status({ session, trans, open }: StatusProps): ReactElement {
  useChanges(session);
  const running = (session.briefs?.swarms ?? []).filter(each => each.alive && each.phase !== 'paused').length;
  const words = running ? trans._n('%1 swarm at work', '%1 swarms at work', running) : trans.__('No swarm at work');
  return (
    <button type="button" className="jp-Swarm-status" title={trans.__('Open the swarm panel')} onClick={open}>
      {words}
    </button>
  );
}
