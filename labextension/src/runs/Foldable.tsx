import { useEffect, useRef, useState, type ReactElement, type ReactNode } from 'react';

/** CSS pixels of width from which what can be folded is open at first. */
const WIDE = 520;

/** What is open where there is room, and folded in a narrow panel, until the person says otherwise. */
export function Foldable({ label, children }: { label: string; children: ReactNode }): ReactElement {
  const place = useRef<HTMLDetailsElement>(null);
  const [wide, setWide] = useState(false);
  const [choice, setChoice] = useState<boolean | null>(null);
  const open = choice ?? wide;
  useEffect(() => {
    const node = place.current;
    if (!node) {
      return;
    }
    const observer = new ResizeObserver(() => {
      if (node.clientWidth > 0) {
        setWide(node.clientWidth >= WIDE);
      }
    });
    observer.observe(node);
    return () => {
      observer.disconnect();
    };
  }, []);
  return (
    <details ref={place} open={open} className="jp-Swarm-fold">
      <summary
        onClick={event => {
          event.preventDefault();
          setChoice(!open);
        }}
      >
        {label}
      </summary>
      {open && children}
    </details>
  );
}
