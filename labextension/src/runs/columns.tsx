import type { TranslationBundle } from '@jupyterlab/translation';
import type { ReactNode } from 'react';

import { Badge, cut, duration, number, signed, type Kind } from '../parts';
import type { Runs } from '../words';
import { type Column, gain, type Scale } from './filter';
import { difference } from './settings';

/** A column of the table of runs. */
export interface ColumnSpec {
  column: Column;
  label: string;
  /** As CSS grid has it. */
  width: string;
  numeric: boolean;
}

/** The columns, in their order. */
export function columnsOf(trans: TranslationBundle, metric: string): ColumnSpec[] {
  const text = (column: Column, label: string, width: string): ColumnSpec => ({ column, label, width, numeric: false });
  const figure = (column: Column, label: string, width: string): ColumnSpec => ({
    column,
    label,
    width,
    numeric: true
  });
  return [
    figure('number', trans.__('Run'), '84px'),
    text('state', trans.__('State'), '96px'),
    figure('value', metric ? cut(metric, 24) : trans.__('Value'), '96px'),
    figure('gain', trans.__('Gain'), '92px'),
    text('difference', trans.__('What differs'), 'minmax(220px, 1fr)'),
    text('direction', trans.__('Direction'), '84px'),
    text('agent', trans.__('Agent'), '84px'),
    text('purpose', trans.__('Purpose'), '104px'),
    figure('seed', trans.__('Seed'), '72px'),
    figure('seconds', trans.__('Time'), '84px')
  ];
}

/** What stands in a cell of the table. */
export function cellOf(trans: TranslationBundle, runs: Runs, row: number, column: Column, scale: Scale): ReactNode {
  switch (column) {
    case 'number':
    case 'seed':
      return String(runs[column][row] ?? '');
    case 'state':
      return <State trans={trans} state={runs.state[row] ?? ''} />;
    case 'value':
      return number(runs.value[row]);
    case 'gain':
      return signed(gain(runs.value[row], scale));
    case 'seconds':
      return runs.state[row] === 'running' ? '…' : duration(runs.seconds[row]);
    case 'difference':
      return cut(differenceOf(trans, runs, row), 200);
    case 'direction':
    case 'agent':
      return cut(runs[column][row] ?? '', 40);
    case 'purpose':
      return cut(purposeOf(trans, runs.purpose[row] ?? ''), 40);
  }
}

/** What differs from the cell; where nothing that has a name does, the run's title. */
export function differenceOf(trans: TranslationBundle, runs: Runs, row: number): string {
  const named = difference(runs.edits[row]);
  return named || (runs.purpose[row] === 'baseline' ? trans.__('the cell as it is') : (runs.title[row] ?? ''));
}

/** A run's state with its sign. */
export function State({ trans, state }: { trans: TranslationBundle; state: string }): ReactNode {
  return <Badge kind={kindOf(state)} word={cut(stateOf(trans, state), 30)} />;
}

function kindOf(state: string): Kind {
  return state === 'ok'
    ? 'good'
    : state === 'running'
      ? 'busy'
      : ['pruned', 'stopped', 'lost'].includes(state)
        ? 'open'
        : 'bad';
}

/** A state in the person's language; reasons are those of `words.Reason`. */
export function stateOf(trans: TranslationBundle, state: string): string {
  const words: Readonly<Record<string, string>> = {
    ok: trans.__('ok'),
    running: trans.__('running'),
    none: trans.__('without a value'),
    failure: trans.__('failed'),
    timeout: trans.__('too slow'),
    missing: trans.__('no metric'),
    nonfinite: trans.__('not finite'),
    bounds: trans.__('out of bounds'),
    pruned: trans.__('pruned'),
    locked: trans.__('locked'),
    refused: trans.__('refused'),
    stopped: trans.__('stopped'),
    lost: trans.__('lost')
  };
  return words[state] ?? state;
}

/** A purpose in the person's language. */
export function purposeOf(trans: TranslationBundle, purpose: string): string {
  const words: Readonly<Record<string, string>> = {
    baseline: trans.__('baseline'),
    screening: trans.__('screening'),
    confirmation: trans.__('confirmation'),
    replication: trans.__('replication'),
    best: trans.__('best again'),
    front: trans.__('front'),
    holdout: trans.__('held out')
  };
  return words[purpose] ?? purpose;
}
