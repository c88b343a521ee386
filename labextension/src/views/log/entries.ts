import type * as W from '../../words';

/** A line of the log: something that was noted, or a request that nobody has answered yet. */
export interface Entry {
  /** Of its record in the ledger. */
  number: number;
  level: string;
  line?: W.Line;
  waiting?: W.Answer;
}

/** Notes, and requests without an answer, the newest first. The runner notes its answers itself. */
export function entriesOf(log: readonly W.Line[], answers: readonly W.Answer[]): Entry[] {
  const lines = log.map((line): Entry => ({ number: line.number, level: line.level, line }));
  const asked = answers.filter(each => each.done === null);
  const waiting = asked.map((answer): Entry => ({ number: answer.number, level: 'info', waiting: answer }));
  return [...lines, ...waiting].sort((a, b) => b.number - a.number);
}
