import { useEffect, useState, type RefObject } from 'react';

import { pathsOf } from './adding';

/** What of Lumino's own events of dragging is needed here. */
interface LuminoDrag {
  readonly mimeData: Parameters<typeof pathsOf>[0];
  readonly proposedAction: string;
  dropAction: string;
}

/** Whether something is held over a place that takes files: from the desktop (the browser's own dragging) and from JupyterLab's file browser (Lumino's). */
export function useDrop(
  place: RefObject<HTMLElement>,
  open: boolean,
  onFiles: (files: File[]) => void,
  onPaths: (paths: string[]) => void
): boolean {
  const [over, setOver] = useState(false);
  useEffect(() => {
    const node = place.current;
    if (!node || !open) {
      return;
    }
    const ended = new AbortController();
    desktop(node, ended.signal, setOver, onFiles);
    browser(node, ended.signal, setOver, onPaths);
    return () => {
      ended.abort();
    };
  }, [place, open, onFiles, onPaths]);
  return over;
}

function desktop(
  node: HTMLElement,
  signal: AbortSignal,
  setOver: (over: boolean) => void,
  onFiles: (files: File[]) => void
): void {
  const on = (kind: 'dragenter' | 'dragover' | 'dragleave' | 'drop', act: (event: DragEvent) => void): void => {
    node.addEventListener(
      kind,
      event => {
        if (event.dataTransfer?.types.includes('Files')) {
          event.preventDefault();
          event.stopPropagation();
          act(event);
        }
      },
      { signal }
    );
  };
  on('dragenter', () => {
    setOver(true);
  });
  on('dragover', () => {
    setOver(true);
  });
  on('dragleave', () => {
    setOver(false);
  });
  on('drop', event => {
    setOver(false);
    onFiles(Array.from(event.dataTransfer?.files ?? []));
  });
}

function browser(
  node: HTMLElement,
  signal: AbortSignal,
  setOver: (over: boolean) => void,
  onPaths: (paths: string[]) => void
): void {
  const on = (kind: string, act: (event: LuminoDrag, paths: string[]) => void): void => {
    const listener = (event: Event): void => {
      const drag = event as Event & LuminoDrag;
      const paths = pathsOf(drag.mimeData);
      if (paths.length) {
        event.preventDefault();
        event.stopPropagation();
        act(drag, paths);
      }
    };
    node.addEventListener(kind, listener, { signal });
  };
  on('lm-dragenter', () => {
    setOver(true);
  });
  on('lm-dragover', event => {
    event.dropAction = event.proposedAction;
    // Lumino tells a child's leaving after another child's entering.
    setOver(true);
  });
  on('lm-dragleave', () => {
    setOver(false);
  });
  on('lm-drop', (event, paths) => {
    setOver(false);
    event.dropAction = 'copy';
    onPaths(paths);
  });
}
