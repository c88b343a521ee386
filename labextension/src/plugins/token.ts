import { Token } from '@lumino/coreutils';

import type { Session } from '../session';

/** Commands of the extension, for palettes, menus, keyboard shortcuts and other extensions. */
export const CommandIDs = {
  open: 'jupyter-swarm:open',
  wide: 'jupyter-swarm:open-wide',
  thisCell: 'jupyter-swarm:this-cell',
  refresh: 'jupyter-swarm:refresh',
  show: 'jupyter-swarm:show'
} as const;

/** What the extension offers to its other plugins. */
export interface ISwarms {
  readonly session: Session;
}

/** The token of the swarms that this page shows. */
export const ISwarms = new Token<ISwarms>(
  'jupyter-swarm:ISwarms',
  'The swarms of a folder, and the one that is shown.'
);
