import { ILabShell, ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, MainAreaWidget, WidgetTracker } from '@jupyterlab/apputils';
import type { Cell, CodeCell } from '@jupyterlab/cells';
import { PathExt } from '@jupyterlab/coreutils';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStateDB } from '@jupyterlab/statedb';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { Api } from '../api';
import { swarmIcon } from '../icon';
import { localPath } from '../papers/queue';
import { Session } from '../session';
import { Preferences } from '../settings';
import { type Parts, SwarmPanel } from '../sidebar';
import { Target } from '../start/cell';
import { type Application, LabHost } from './labhost';
import { CommandIDs, ISwarms } from './token';

/** JupyterLab shows the panels of its left side by rank; its own stand before 1000. */
const RANK = 600;
const ID = 'jupyter-swarm:plugin';
/** The nudge of the server. */
const SCHEMA = 'https://schema.jupyter-swarm.org/changed/v1';

/** The panel, in the left side of JupyterLab and of Notebook 7 (which has no layout to restore), and its commands. */
export const panelPlugin: JupyterFrontEndPlugin<ISwarms> = {
  id: ID,
  description: 'A panel over the swarms of a folder.',
  autoStart: true,
  provides: ISwarms,
  optional: [
    ILabShell,
    INotebookTracker,
    IDefaultFileBrowser,
    ICommandPalette,
    ILayoutRestorer,
    ISettingRegistry,
    IStateDB,
    ITranslator
  ],
  activate: (
    app: JupyterFrontEnd,
    lab: ILabShell | null,
    notebooks: INotebookTracker | null,
    files: IDefaultFileBrowser | null,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    settings: ISettingRegistry | null,
    state: IStateDB | null,
    translator: ITranslator | null
  ): ISwarms => {
    const trans = (translator ?? nullTranslator).load('jupyter_swarm');
    const session = new Session(new Api(app.serviceManager.serverSettings, trans), state);
    const application: Application = { app, lab, notebooks, trans, session };
    const host = new LabHost(application);
    const preferences = new Preferences();
    const here = (): string => folderOf(notebooks, files);
    const command = (id: string): void => {
      void app.commands.execute(id);
    };
    const widen = (): void => {
      command(CommandIDs.wide);
    };
    const parts: Parts = { session, host, preferences, here, command, widen };
    const panel = new SwarmPanel('jupyter-swarm-panel', parts);
    app.shell.add(panel, 'left', { rank: RANK, type: 'Swarm' });
    restorer?.add(panel, panel.id);
    addCommands(application, panel);
    addWide(application, host, parts, restorer);
    Object.values(CommandIDs)
      .filter(id => id !== CommandIDs.show)
      .forEach(id => palette?.addItem({ command: id, category: trans.__('Swarm') }));
    follow(application, files, preferences, here);
    void begin(application, preferences, settings, here);
    return { session };
  }
};

/** The folder of the current notebook, or else the one that the file browser shows. */
function folderOf(notebooks: INotebookTracker | null, files: IDefaultFileBrowser | null): string {
  const notebook = notebooks?.currentWidget;
  return notebook ? PathExt.dirname(notebook.context.localPath) : localPath(files?.model.path ?? '');
}

/** What was shown last time; then what the settings say, and the server. */
async function begin(
  { app, session }: Application,
  preferences: Preferences,
  registry: ISettingRegistry | null,
  here: () => string
): Promise<void> {
  await session.restore();
  await app.restored;
  if (registry) {
    await preferences.load(registry, ID).catch((error: unknown) => {
      console.error('jupyter-swarm: the settings cannot be read', error);
    });
  }
  if (preferences.follow) {
    session.follow(here());
  }
}

/** Keep the session at what the person works at, at the settings, and at the server's nudges. */
function follow(
  { app, notebooks, session }: Application,
  files: IDefaultFileBrowser | null,
  preferences: Preferences,
  here: () => string
): void {
  const moved = (): void => {
    if (preferences.follow) {
      session.follow(here());
    }
  };
  notebooks?.currentChanged.connect(moved);
  files?.model.pathChanged.connect(moved);
  preferences.changed.connect(() => {
    session.setRefreshing(preferences.refresh);
  });
  app.serviceManager.events.stream.connect((_, emission) => {
    if (emission.schema_id === SCHEMA && typeof emission.folder === 'string') {
      session.nudge(emission.folder);
    }
  });
}

function addCommands({ app, notebooks, trans, session }: Application, panel: SwarmPanel): void {
  const open = (): void => {
    app.shell.activateById(panel.id);
  };
  app.commands.addCommand(CommandIDs.open, {
    label: trans.__('Open the Swarm Panel'),
    icon: swarmIcon,
    execute: open
  });
  app.commands.addCommand(CommandIDs.show, {
    label: args => trans.__('Show the Swarm %1', typeof args.name === 'string' ? args.name : ''),
    execute: args => {
      session.show(typeof args.name === 'string' ? args.name : null);
      open();
    }
  });
  app.commands.addCommand(CommandIDs.refresh, {
    label: trans.__('Refresh the Swarms'),
    execute: () => {
      session.wake();
    }
  });
  app.commands.addCommand(CommandIDs.thisCell, {
    label: args => (args.toolbar ? '' : trans.__('Swarm This Cell')),
    caption: trans.__('Give this cell to a swarm of agents: choose options, look at what was found in it, start'),
    icon: swarmIcon,
    isEnabled: () => notebooks?.activeCell?.model.type === 'code',
    execute: () => {
      const current = notebooks?.currentWidget;
      const cell = notebooks?.activeCell;
      if (current && cell && isCode(cell)) {
        panel.navigator.begin(new Target(current, cell, trans));
        open();
      }
    }
  });
  const changed = (): void => {
    app.commands.notifyCommandChanged(CommandIDs.thisCell);
  };
  notebooks?.activeCellChanged.connect(changed);
}

function isCode(cell: Cell): cell is CodeCell {
  return cell.model.type === 'code';
}

/** The same panel, wide: a tab of the main area. */
function addWide({ app, trans }: Application, host: LabHost, parts: Parts, restorer: ILayoutRestorer | null): void {
  const tracker = new WidgetTracker<MainAreaWidget<SwarmPanel>>({ namespace: 'jupyter-swarm-wide' });
  app.commands.addCommand(CommandIDs.wide, {
    label: args => (args.isLauncher ? trans.__('Swarm') : trans.__('Open the Swarm Panel Wide')),
    caption: trans.__('Swarms of this folder, in a tab of their own'),
    icon: swarmIcon,
    execute: () => {
      let widget = tracker.currentWidget;
      if (!widget || widget.isDisposed) {
        const content = new SwarmPanel('jupyter-swarm-wide-content', { ...parts, widen: null });
        content.addClass('jp-Swarm-wide');
        widget = new MainAreaWidget({ content });
        // JupyterLab calls all content of its main area the same.
        content.node.setAttribute('aria-label', trans.__('Swarm'));
        widget.id = 'jupyter-swarm-wide';
        widget.title.label = trans.__('Swarm');
        widget.title.icon = swarmIcon;
        widget.title.closable = true;
        void tracker.add(widget);
        app.shell.add(widget, host.area, { type: 'Swarm' });
      }
      app.shell.activateById(widget.id);
    }
  });
  if (restorer) {
    void restorer.restore(tracker, { command: CommandIDs.wide, name: () => 'wide' });
  }
}
