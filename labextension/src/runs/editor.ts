import { Compartment, EditorState, type Extension } from '@codemirror/state';
import { EditorView, lineNumbers } from '@codemirror/view';
import { EditorLanguageRegistry, jupyterTheme } from '@jupyterlab/codemirror';

/** Python as JupyterLab highlights it; its parser is JupyterLab's own, and comes when it is first asked for. */
async function python(): Promise<Extension> {
  const registry = new EditorLanguageRegistry();
  EditorLanguageRegistry.getDefaultLanguages()
    .filter(language => language.name === 'ipython')
    .forEach(language => {
      registry.addLanguage(language);
    });
  return (await registry.getLanguage('ipython'))?.support ?? [];
}

/** What code that one may read and not change is shown with. `label` is its name for screen readers. */
export function reading(label: string): Extension[] {
  return [
    jupyterTheme,
    lineNumbers(),
    EditorView.lineWrapping,
    EditorState.readOnly.of(true),
    EditorView.contentAttributes.of({ 'aria-label': label })
  ];
}

/** A place for the language in an editor, and how to fill it. Without it the code is read all the same. */
export function highlighting(): { extension: Extension; fill: (...views: EditorView[]) => void } {
  const place = new Compartment();
  const fill = (...views: EditorView[]): void => {
    python().then(
      support => {
        views.forEach(view => {
          view.dispatch({ effects: place.reconfigure(support) });
        });
      },
      (error: unknown) => {
        console.warn('Python cannot be highlighted', error);
      }
    );
  };
  return { extension: place.of([]), fill };
}
