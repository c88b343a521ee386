import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactElement } from 'react';

import type { Api } from './api';

/** The sections of the panel. Papers are the workspace's, the others a swarm's. */
export type Section = 'overview' | 'directions' | 'findings' | 'runs' | 'agents' | 'papers' | 'log';

export const SECTIONS: readonly Section[] = ['overview', 'directions', 'findings', 'runs', 'agents', 'papers', 'log'];

/** What a view may ask of JupyterLab. */
export interface Host {
  readonly trans: TranslationBundle;
  readonly api: Api;
  /** Whether this user may ask for changes, and start processes. Buttons that may not are disabled, and say why. */
  readonly may: { readonly write: boolean; readonly execute: boolean };
  /** Insert a code cell below the active one of the current notebook; false where there is none (it says so itself). */
  insertCell(code: string): Promise<boolean>;
  /** Open a file of the server with the application's own document manager. */
  openPath(path: string): Promise<void>;
  /** Open a tab in the main area, or activate the one that has this key. */
  openWidget(key: string, label: string, make: () => ReactElement): void;
  notify(message: string, kind: 'info' | 'warning' | 'error'): void;
  /** Show a swarm of a folder, which every panel of the page does then. */
  show(swarm: string, folder: string): void;
  /** Show another section, as in ('runs', 'direction:D3'), ('runs', 'number:17'), ('findings', 'H7'). */
  goTo(section: Section, argument?: string): void;
}
