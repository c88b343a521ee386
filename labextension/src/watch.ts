import type { ISignal } from '@lumino/signaling';
import { useCallback, useSyncExternalStore } from 'react';

/** Something that counts its changes and tells of them. */
export interface Versioned {
  readonly version: number;
  readonly changed: ISignal<unknown, void>;
}

/** Draw again whenever it changes. */
export function useChanges(thing: Versioned): number {
  const subscribe = useCallback(
    (redraw: () => void) => {
      thing.changed.connect(redraw);
      return () => {
        thing.changed.disconnect(redraw);
      };
    },
    [thing]
  );
  return useSyncExternalStore(subscribe, () => thing.version);
}
