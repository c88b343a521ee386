import type { ILabShell, JupyterFrontEnd } from '@jupyterlab/application';
import { MainAreaWidget, Notification } from '@jupyterlab/apputils';
import type { INotebookTracker } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import { createElement, type ReactElement } from 'react';

import type { Api } from '../api';
import type { Host } from '../host';
import { swarmIcon } from '../icon';
import { cut, Translation } from '../parts';
import type { Session } from '../session';

/** What the application has. */
export interface Application {
  app: JupyterFrontEnd;
  /** Null in Notebook 7, whose main area holds one document: what JupyterLab opens there opens at the right. */
  lab: ILabShell | null;
  notebooks: INotebookTracker | null;
  trans: TranslationBundle;
  session: Session;
}

/** The application as views see it; where `goTo` leads is each panel's own. */
export class LabHost implements Omit<Host, 'goTo'> {
  private readonly opened = new Map<string, MainAreaWidget>();

  constructor(private readonly application: Application) {}

  get trans(): TranslationBundle {
    return this.application.trans;
  }

  get api(): Api {
    return this.application.session.api;
  }

  get may(): Host['may'] {
    return this.application.session.may;
  }

  insertCell(code: string): Promise<boolean> {
    const notebook = this.application.notebooks?.currentWidget?.content;
    const model = notebook?.model;
    if (!notebook || !model || model.readOnly) {
      this.notify(this.trans.__('Open a notebook first: the cell is inserted below its active cell.'), 'warning');
      return Promise.resolve(false);
    }
    const index = notebook.activeCellIndex + 1;
    model.sharedModel.insertCell(index, { cell_type: 'code', source: code, metadata: { trusted: true } });
    notebook.deselectAll();
    notebook.activeCellIndex = index;
    return Promise.resolve(true);
  }

  show(swarm: string, folder: string): void {
    this.application.session.visit(swarm, folder);
  }

  async openPath(path: string): Promise<void> {
    await this.application.app.commands.execute('docmanager:open', { path });
  }

  openWidget(key: string, label: string, make: () => ReactElement): void {
    const { app } = this.application;
    let widget = this.opened.get(key);
    if (!widget || widget.isDisposed) {
      widget = this.made(key, label, make);
      app.shell.add(widget, this.area, { type: 'Swarm' });
    }
    app.shell.activateById(widget.id);
  }

  /** Where wide things go. */
  get area(): 'main' | 'right' {
    return this.application.lab ? 'main' : 'right';
  }

  notify(message: string, kind: 'info' | 'warning' | 'error'): void {
    Notification.emit(cut(message, 600), kind === 'info' ? 'default' : kind, {
      autoClose: kind === 'error' ? false : 8000
    });
  }

  private made(key: string, label: string, make: () => ReactElement): MainAreaWidget {
    const content = ReactWidget.create(createElement(Translation.Provider, { value: this.trans }, make()));
    content.addClass('jp-Swarm');
    content.addClass('jp-Swarm-wide');
    const widget = new MainAreaWidget({ content });
    content.node.setAttribute('aria-label', cut(label));
    widget.id = `jupyter-swarm-${key}`;
    widget.title.label = cut(label, 60);
    widget.title.caption = cut(label);
    widget.title.icon = swarmIcon;
    widget.title.closable = true;
    this.opened.set(key, widget);
    widget.disposed.connect(() => this.opened.delete(key));
    return widget;
  }
}
