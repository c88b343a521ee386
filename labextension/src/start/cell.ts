import type { CodeCell } from '@jupyterlab/cells';
import { PathExt } from '@jupyterlab/coreutils';
import { NotebookActions, type NotebookPanel } from '@jupyterlab/notebook';
import type { KernelMessage } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';
import { UUID } from '@lumino/coreutils';
import { type ISignal, Signal } from '@lumino/signaling';

import { ApiProblem } from '../problem';
import type * as W from '../words';
import { otherMagic, parts } from './magic';

/** What was found in a cell, as `jupyter_swarm.jupyter.preview` says it. */
export interface Found {
  question: string;
  metric: string;
  maximize: boolean;
  captures: { name: string; kind: string; is: string; bytes: number }[];
  knobs: { name: string; value: W.Knob['value']; range: string; from: string; line: number }[];
  swaps: { name: string; candidates: string[]; line: number }[];
  inserts: { name: string; candidates: string[]; line: number }[];
  blocks: { name: string; code: string; line: number }[];
  locked: { code: string; why: string; line: number }[];
  warnings: string[];
  leaks: { kind: string; line: number; what: string; cure: string }[];
  scope: string;
  budget: string;
  folder: string;
}

/** How the kernel is: `ready` to work, `busy` with something else, or why it cannot work. */
export type Kernelhood = 'ready' | 'busy' | 'starting' | 'none' | 'dead' | 'foreign' | 'offline';

const LOAD = '%load_ext jupyter_swarm';
const HAS_LOAD = /^\s*%(?:re)?load_ext\s+jupyter_swarm\b/m;
const LOADS = "__import__('IPython').get_ipython().extension_manager.load_extension('jupyter_swarm')";
const INSTALLED = "__import__('jupyter_swarm').__name__";
/** States of a kernel that answers nothing more. */
const ENDED: ReadonlySet<string> = new Set(['dead', 'restarting', 'autorestarting', 'terminating']);
/** Seconds after which a cell that does not come back is left to itself; the notebook shows what comes of it. */
const PATIENCE = 60;

/** A cell that is to be given to a swarm, in its notebook, with its kernel. */
export class Target {
  /** Tells it from others, those of the same cell, too. */
  readonly id = UUID.uuid4();
  version = 0;
  private readonly signal = new Signal<this, void>(this);

  constructor(
    readonly panel: NotebookPanel,
    readonly cell: CodeCell,
    private readonly trans: TranslationBundle
  ) {
    this.each('connect');
  }

  /** Something of it has changed: text, kernel, or whether it is there. */
  get changed(): ISignal<this, void> {
    return this.signal;
  }

  dispose(): void {
    this.each('disconnect');
    Signal.clearData(this);
  }

  private each(how: 'connect' | 'disconnect'): void {
    const context = this.panel.sessionContext;
    this.cell.model.contentChanged[how](this.touch);
    context.statusChanged[how](this.touch);
    context.kernelChanged[how](this.touch);
    context.connectionStatusChanged[how](this.touch);
    this.panel.content.model?.cells.changed[how](this.touch);
    this.panel.disposed[how](this.touch);
  }

  /** Whether the cell is still in its notebook, and that open. */
  get present(): boolean {
    return !this.panel.isDisposed && !this.cell.isDisposed && this.panel.content.widgets.includes(this.cell);
  }

  get source(): string {
    return this.cell.isDisposed ? '' : this.cell.model.sharedModel.getSource();
  }

  /** The notebook's folder, relative to the server's root. */
  get folder(): string {
    return PathExt.dirname(this.panel.context.localPath);
  }

  /** The notebook's name. */
  get notebook(): string {
    return PathExt.basename(this.panel.context.localPath);
  }

  /** What hinders to write into it, in words; "" where nothing does. */
  get hindrance(): string {
    const other = otherMagic(this.source);
    if (other) {
      return this.trans.__(
        'This cell begins with %1, and %%swarm has to be its first line: take that line out.',
        other
      );
    }
    if (parts(this.source).body.trim() === '') {
      return this.trans.__('This cell is empty: write into it what trains or measures something.');
    }
    const locked = this.cell.model.getMetadata('editable') === false || this.panel.content.model?.readOnly === true;
    return locked ? this.trans.__('This cell may not be edited: make it editable, or copy it.') : '';
  }

  get kernelhood(): Kernelhood {
    const context = this.panel.sessionContext;
    const kernel = context.session?.kernel;
    if (!kernel) {
      return context.isReady || context.hasNoKernel ? 'none' : 'starting';
    }
    if (kernel.status === 'dead' || kernel.status === 'terminating') {
      return 'dead';
    }
    if (kernel.connectionStatus === 'disconnected') {
      return 'offline';
    }
    const language = this.panel.content.model?.defaultKernelLanguage ?? 'python';
    if (language !== '' && language !== 'python') {
      return 'foreign';
    }
    if (
      kernel.connectionStatus === 'connecting' ||
      ['starting', 'restarting', 'autorestarting'].includes(kernel.status)
    ) {
      return 'starting';
    }
    return kernel.status === 'busy' ? 'busy' : 'ready';
  }

  /** Ask the kernel what it finds in the cell; a busy one answers when it has time. */
  async preview(line: string, signal: AbortSignal): Promise<Found> {
    const call = `preview(${JSON.stringify(line)}, ${JSON.stringify(parts(this.source).body)})`;
    const data = await this.evaluate(
      `__import__('jupyter_swarm.jupyter.preview', fromlist=['preview']).${call}`,
      signal
    );
    const found = data['application/json'] as Found | { problem: W.Problem } | undefined;
    if (!found) {
      throw this.problem(this.trans.__('The kernel said nothing of the cell.'), this.trans.__('restart the kernel'));
    }
    if ('problem' in found) {
      throw new ApiProblem(400, found.problem);
    }
    return found;
  }

  /**
   * Write the line into the cell, and run it; whether it ran without an error (null: it still runs).
   *
   * @param queued - told once the notebook has the cell to run, which no signal takes back
   */
  async start(line: string, signal: AbortSignal, queued: () => void): Promise<boolean | null> {
    const loads = this.panel.content.widgets.some(each => HAS_LOAD.test(each.model.sharedModel.getSource()));
    await this.evaluate(loads ? LOADS : INSTALLED, signal);
    if (!this.present || this.hindrance) {
      throw this.problem(this.hindrance || this.trans.__('The cell is gone.'), this.trans.__('choose another cell'));
    }
    this.cell.model.sharedModel.setSource(`${line}\n${parts(this.source).body}`);
    queued();
    const late = new Promise<null>(resolve => setTimeout(resolve, PATIENCE * 1000, null));
    return Promise.race([this.runs(!loads), late]);
  }

  /** Run the cell, after one that loads the extension if need be: JupyterLab gives a cell two toolbars otherwise. */
  private async runs(loading: boolean): Promise<boolean> {
    if (loading) {
      await this.load();
    }
    return this.present && this.run(this.panel.content.widgets.indexOf(this.cell));
  }

  /** Let the notebook load the extension, as a record for whoever runs it next. */
  private load(): Promise<boolean> {
    const index = this.panel.content.widgets.indexOf(this.cell);
    const cell = { cell_type: 'code' as const, source: LOAD, metadata: { trusted: true } };
    this.panel.content.model?.sharedModel.insertCell(index, cell);
    return this.run(index);
  }

  private run(index: number): Promise<boolean> {
    const notebook = this.panel.content;
    notebook.deselectAll();
    notebook.activeCellIndex = index;
    return NotebookActions.run(notebook, this.panel.sessionContext);
  }

  /** The value of a Python expression, as displayed; neither history nor variables of the notebook change. */
  private async evaluate(expression: string, signal: AbortSignal): Promise<Record<string, unknown>> {
    const kernel = this.panel.sessionContext.session?.kernel;
    if (!kernel || signal.aborted) {
      throw this.problem(this.trans.__('This notebook has no kernel.'), this.trans.__('start one'));
    }
    const request = { code: '', silent: true, store_history: false, allow_stdin: false, stop_on_error: false };
    const future = kernel.requestExecute({ ...request, user_expressions: { found: expression } }, false);
    const end = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => {
        reject(new ApiProblem(0, { message: '', where: '', cure: '', reason: 'Cancelled' }));
      });
      const check = (): void => {
        if (kernel.isDisposed || ENDED.has(kernel.status)) {
          reject(this.died());
        }
      };
      kernel.statusChanged.connect(check, future);
      kernel.disposed.connect(check, future);
    });
    try {
      return this.result(await Promise.race([future.done, end]));
    } catch (error) {
      throw error instanceof ApiProblem ? error : this.died();
    } finally {
      Signal.disconnectReceiver(future);
      future.dispose();
    }
  }

  private result(reply: KernelMessage.IExecuteReplyMsg): Record<string, unknown> {
    const content = reply.content;
    if (content.status !== 'ok') {
      throw this.problem(this.trans.__('The kernel was interrupted.'), this.trans.__('try again'));
    }
    const found = content.user_expressions.found as unknown as Evaluated;
    if (found.status === 'ok') {
      return found.data;
    }
    if (found.ename === 'ModuleNotFoundError') {
      const cure = this.trans.__('run %pip install jupyter-swarm in a cell');
      throw this.problem(this.trans.__('jupyter-swarm is not installed where this notebook runs.'), cure);
    }
    throw this.problem(`${found.ename}: ${found.evalue}`, this.trans.__('restart the kernel'));
  }

  private died(): ApiProblem {
    const cure = this.trans.__('run the notebook’s cells again, then ask once more');
    return this.problem(this.trans.__('The kernel ended or was restarted before it answered.'), cure);
  }

  private problem(message: string, cure: string): ApiProblem {
    return new ApiProblem(0, { message, where: this.notebook, cure, reason: 'Kernel' });
  }

  private readonly touch = (): void => {
    this.version += 1;
    this.signal.emit();
  };
}

interface Evaluated {
  status: 'ok' | 'error';
  data: Record<string, unknown>;
  ename: string;
  evalue: string;
}
