import { forwardRef, type ReactNode } from 'react';

/** A button's properties. */
export interface ButtonProps {
  children: ReactNode;
  onPress: () => void;
  /** Why it cannot be pressed now; it stays reachable, so that a screen reader can tell. */
  why?: string | undefined;
  title?: string | undefined;
  /** A name for screen readers, where the text says too little. */
  name?: string | undefined;
  kind?: 'plain' | 'main' | 'grave' | 'link';
  expanded?: boolean | undefined;
}

/** A button that says why it cannot be pressed, where it cannot. */
export const Button = forwardRef<HTMLButtonElement, ButtonProps>(function Button(props, ref) {
  const { children, onPress, why, title, name, kind = 'plain', expanded } = props;
  return (
    <button
      ref={ref}
      type="button"
      className="jp-Swarm-button"
      data-kind={kind}
      aria-disabled={why ? true : undefined}
      aria-label={name}
      aria-expanded={expanded}
      title={why ?? title}
      onClick={() => {
        if (!why) {
          onPress();
        }
      }}
    >
      {children}
    </button>
  );
});
