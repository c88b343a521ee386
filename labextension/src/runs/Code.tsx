import { EditorState } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { useEffect, useRef, type ReactElement } from 'react';

import { highlighting, reading } from './editor';

/** Characters of code that are shown; a cell that is longer was made to be a burden. */
const MOST = 200_000;

/** A cell to read, as JupyterLab's editor shows it. */
export function Code({ code, label }: { code: string; label: string }): ReactElement {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!place.current) {
      return;
    }
    const python = highlighting();
    const state = EditorState.create({ doc: code.slice(0, MOST), extensions: [...reading(label), python.extension] });
    const view = new EditorView({ parent: place.current, state });
    python.fill(view);
    return () => {
      view.destroy();
    };
  }, [code, label]);
  return <div ref={place} className="jp-Swarm-cell" />;
}
