/** What a colour stands for → the theme's variable. Contrast is the theme's own, in light, dark and high contrast. */
const VARIABLES = {
  text: '--jp-ui-font-color1',
  soft: '--jp-ui-font-color2',
  grid: '--jp-border-color2',
  band: '--jp-border-color1',
  leader: '--jp-brand-color1',
  best: '--jp-success-color1',
  chosen: '--jp-warn-color1'
} as const;

/** What is drawn in a colour of its own. */
export type Ink = keyof typeof VARIABLES;

/** A function that tells this colour whenever a plot draws, so that a change of theme needs a redraw alone. */
export function ink(name: Ink): () => string {
  return () => getComputedStyle(document.body).getPropertyValue(VARIABLES[name]).trim() || 'gray';
}

/** The same where there is a style sheet, which follows the theme by itself. */
export function inked(name: Ink): string {
  return `var(${VARIABLES[name]})`;
}

/** Be told after the theme has changed; what is returned ends it. JupyterLab names its theme at the body. */
export function onTheme(changed: () => void): () => void {
  const observer = new MutationObserver(() => {
    requestAnimationFrame(changed);
  });
  observer.observe(document.body, { attributes: true, attributeFilter: ['data-jp-theme-name', 'data-jp-theme-light'] });
  return () => {
    observer.disconnect();
  };
}

/** The font of axes; a canvas has no style of its own. */
export const FONT = '11px system-ui, sans-serif';
