import type { TranslationBundle } from '@jupyterlab/translation';

import { cut } from '../parts/format';
import type * as W from '../words';

/** What a swarm does, in the reader's language; what a newer server says is shown as it comes. */
export function doing(trans: TranslationBundle, { doing: said }: { doing: string }): string {
  const words = new Map([
    ['starting', trans.__('starting')],
    ['running', trans.__('running')],
    ['baseline', trans.__('baseline')],
    ['screening', trans.__('screening')],
    ['confirming', trans.__('confirming')],
    ['screening and confirming', trans.__('screening and confirming')],
    ['measuring the best again', trans.__('measuring the best again')],
    ['pausing', trans.__('pausing')],
    ['resuming', trans.__('resuming')],
    ['stopping', trans.__('stopping')],
    ['paused', trans.__('paused')],
    ['done', trans.__('done')],
    ['stopped', trans.__('stopped')],
    ['failed', trans.__('failed')],
    ['runner lost', trans.__('runner lost')]
  ]);
  return words.get(said) ?? cut(said, 60);
}

/** What is asked for, in the reader's language. */
export function verbOf(trans: TranslationBundle, verb: W.Ask['verb']): string {
  const words: Readonly<Record<W.Ask['verb'], string>> = {
    pause: trans.__('pause'),
    resume: trans.__('resume'),
    stop: trans.__('stop'),
    priority: trans.__('priority'),
    add: trans.__('add'),
    close: trans.__('close'),
    approve: trans.__('approve'),
    veto: trans.__('veto'),
    replicate: trans.__('replicate'),
    budget: trans.__('budget'),
    hire: trans.__('hire'),
    dismiss: trans.__('dismiss'),
    resize: trans.__('resize')
  };
  return words[verb];
}
