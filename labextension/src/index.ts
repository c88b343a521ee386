import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

import { launcherPlugin } from './plugins/launcher';
import { panelPlugin } from './plugins/panel';
import { statusPlugin } from './plugins/status';

export { CommandIDs, ISwarms } from './plugins/token';

const plugins: JupyterFrontEndPlugin<unknown>[] = [panelPlugin, launcherPlugin, statusPlugin];

export default plugins;
