import type { ReactElement } from 'react';

import { Button, useTrans } from '../parts';
import type { Kernelhood, Target } from './cell';

/** Whose kernel it is, and how a command of the notebook is run. */
export interface KernelStateProps {
  target: Target;
  command: (id: string) => void;
  /** Whether the notebook has been given the cell to run: the kernel is busy with that then. */
  given: boolean;
}

/** Why the kernel cannot be asked; undefined where it can (a busy one answers later). */
export function useAbility(kernel: Kernelhood): string | undefined {
  const trans = useTrans();
  const words: Partial<Record<Kernelhood, string>> = {
    none: trans.__('This notebook has no kernel: choose one'),
    dead: trans.__('The kernel is dead: restart it'),
    foreign: trans.__('Swarms need a Python kernel: choose one'),
    offline: trans.__('The kernel cannot be reached: see whether the server runs, or restart it'),
    starting: trans.__('The kernel is starting: a moment')
  };
  return words[kernel];
}

/** What hinders the kernel, and what to do about it. */
export function KernelState({ target, command, given }: KernelStateProps): ReactElement | null {
  const trans = useTrans();
  const said = useAbility(target.kernelhood);
  const hood = target.kernelhood;
  if (said === undefined) {
    return hood === 'busy' && !given ? (
      <p className="jp-Swarm-note" role="status">
        {trans.__('The kernel is busy. It answers as soon as it has time; you can cancel until then.')}
      </p>
    ) : null;
  }
  return (
    <div className="jp-Swarm-note" role="status">
      <p>
        <span aria-hidden="true">⚠ </span>
        {said}
      </p>
      {(hood === 'none' || hood === 'foreign') && (
        <Button
          onPress={() => {
            command('notebook:change-kernel');
          }}
        >
          {trans.__('Choose a kernel')}
        </Button>
      )}
      {(hood === 'dead' || hood === 'offline') && (
        <Button
          onPress={() => {
            command('notebook:restart-kernel');
          }}
        >
          {trans.__('Restart the kernel')}
        </Button>
      )}
    </div>
  );
}
