import { nullTranslator, type TranslationBundle } from '@jupyterlab/translation';
import { createContext, useContext } from 'react';

/** The translations of everything below; English where nobody provides one. */
export const Translation = createContext<TranslationBundle>(nullTranslator.load('jupyter_swarm'));

/** The translations that the nearest `<Translation.Provider value={trans}>` has. */
export function useTrans(): TranslationBundle {
  return useContext(Translation);
}
