import { useId, useRef, type KeyboardEvent, type ReactElement, type ReactNode } from 'react';

/** A tab: what it is called, and the number that stands beside it. */
export interface Tab<T extends string> {
  id: T;
  label: string;
  count?: number;
}

/** What tabs are given. */
export interface TabsProps<T extends string> {
  label: string;
  tabs: readonly Tab<T>[];
  shown: T;
  onShow: (id: T) => void;
  children: ReactNode;
}

/** Tabs and the panel of the one that is shown; arrow keys, Home and End go along them. */
export function Tabs<T extends string>({ label, tabs, shown, onShow, children }: TabsProps<T>): ReactElement {
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const go = (event: KeyboardEvent): void => {
    const to = next(
      event.key,
      tabs.findIndex(tab => tab.id === shown),
      tabs.length
    );
    const tab = to === null ? undefined : tabs[to];
    if (tab && to !== null) {
      event.preventDefault();
      onShow(tab.id);
      list.current?.querySelectorAll<HTMLElement>('[role=tab]')[to]?.focus();
    }
  };
  return (
    <>
      <div ref={list} role="tablist" aria-label={label} className="jp-Swarm-tabs" onKeyDown={go}>
        {tabs.map(tab => (
          <button
            key={tab.id}
            type="button"
            role="tab"
            id={`${id}-${tab.id}`}
            className="jp-Swarm-tab"
            aria-selected={tab.id === shown}
            aria-controls={`${id}-panel`}
            tabIndex={tab.id === shown ? 0 : -1}
            onClick={() => {
              onShow(tab.id);
            }}
          >
            {tab.label}
            {tab.count ? <span className="jp-Swarm-tab-count">{tab.count.toLocaleString()}</span> : null}
          </button>
        ))}
      </div>
      <div
        role="tabpanel"
        id={`${id}-panel`}
        aria-labelledby={`${id}-${shown}`}
        className="jp-Swarm-section"
        tabIndex={-1}
        key={shown}
      >
        {children}
      </div>
    </>
  );
}

/** The tab that a key leads to; null for a key that leads nowhere. */
export function next(key: string, from: number, length: number): number | null {
  const to: Readonly<Record<string, number>> = {
    ArrowRight: (from + 1) % length,
    ArrowDown: (from + 1) % length,
    ArrowLeft: (from - 1 + length) % length,
    ArrowUp: (from - 1 + length) % length,
    Home: 0,
    End: length - 1
  };
  return to[key] ?? null;
}
