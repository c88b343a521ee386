import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ILauncher } from '@jupyterlab/launcher';

import { CommandIDs, ISwarms } from './token';

/** A card in the launcher that opens the panel wide. Notebook 7 has no launcher. */
export const launcherPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-swarm:launcher',
  description: 'A launcher card that opens the swarms of the folder.',
  autoStart: true,
  requires: [ISwarms],
  optional: [ILauncher],
  activate: (_: JupyterFrontEnd, __: ISwarms, launcher: ILauncher | null) => {
    launcher?.add({ command: CommandIDs.wide, args: { isLauncher: true }, category: 'Other', rank: 20 });
  }
};
