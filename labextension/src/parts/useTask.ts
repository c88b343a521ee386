import { useCallback, useEffect, useRef, useState } from 'react';

import type { Host } from '../host';
import { problemOf } from '../problem';

/** Whether a task is under way, and how to begin one; what goes wrong is told to the person. */
export function useTask(host: Host): [boolean, (task: () => Promise<void>) => void] {
  const [busy, setBusy] = useState(false);
  const here = useRef(true);
  useEffect(() => {
    here.current = true;
    return () => {
      here.current = false;
    };
  }, []);
  const run = useCallback(
    (task: () => Promise<void>) => {
      setBusy(true);
      void settle(task, host).finally(() => {
        if (here.current) {
          setBusy(false);
        }
      });
    },
    [host]
  );
  return [busy, run];
}

async function settle(task: () => Promise<void>, host: Host): Promise<void> {
  try {
    await task();
  } catch (error) {
    const { message, cure } = problemOf(error).problem;
    host.notify(cure ? `${message} (${cure})` : message, 'error');
  }
}
