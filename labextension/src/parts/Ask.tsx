import { useEffect, useRef, useState, type ReactElement } from 'react';

import { Button } from './Button';
import { useTrans } from './translation';

/** What is asked before it is done. */
export interface AskProps {
  label: string;
  /** "Close this direction?" */
  question: string;
  /** The word on the button that does it. */
  yes: string;
  onYes: () => void;
  why?: string | undefined;
  name?: string | undefined;
}

/** A button that asks in its place before it acts; Escape takes it back. */
export function Ask({ label, question, yes, onYes, why, name }: AskProps): ReactElement {
  const trans = useTrans();
  const [asking, setAsking] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  const first = useRef<HTMLButtonElement>(null);
  const asked = useRef(false);
  useEffect(() => {
    if (asking) {
      first.current?.focus();
    } else if (asked.current) {
      opener.current?.focus();
    }
    asked.current = asking;
  }, [asking]);
  if (!asking || why) {
    return (
      <Button
        ref={opener}
        why={why}
        name={name}
        onPress={() => {
          setAsking(true);
        }}
      >
        {label}
      </Button>
    );
  }
  const end = (): void => {
    setAsking(false);
  };
  return (
    <span
      role="group"
      aria-label={question}
      className="jp-Swarm-ask"
      onKeyDown={event => {
        if (event.key === 'Escape') {
          event.stopPropagation();
          end();
        }
      }}
    >
      <span>{question}</span>
      <Button ref={first} onPress={end}>
        {trans.__('No')}
      </Button>
      <Button
        kind="grave"
        onPress={() => {
          end();
          onYes();
        }}
      >
        {yes}
      </Button>
    </span>
  );
}
