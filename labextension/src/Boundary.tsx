import { Component, type ErrorInfo, type ReactNode } from 'react';

import type { TranslationBundle } from '@jupyterlab/translation';

import { Failure } from './parts';
import { problemOf } from './problem';

interface Props {
  trans: TranslationBundle;
  children: ReactNode;
}

/** A section that fails is said to have failed, and takes nothing else along. */
export class Boundary extends Component<Props, { error: unknown }> {
  override state = { error: null as unknown };

  static getDerivedStateFromError(error: unknown): { error: unknown } {
    return { error };
  }

  override componentDidCatch(error: unknown, { componentStack }: ErrorInfo): void {
    console.error('jupyter-swarm: a section failed', error, componentStack);
  }

  override render(): ReactNode {
    if (this.state.error === null) {
      return this.props.children;
    }
    const { trans } = this.props;
    const { message } = problemOf(this.state.error).problem;
    const updated = this.state.error instanceof Error && this.state.error.name === 'ChunkLoadError';
    const problem = {
      message: updated
        ? trans.__('This part of the panel cannot be fetched: the server is away, or the extension was updated.')
        : trans.__('This part of the panel failed: %1', message),
      where: '',
      cure: updated ? trans.__('reload the page') : trans.__('reload the page if it fails again'),
      reason: 'Panel'
    };
    const retry = (): void => {
      this.setState({ error: null });
    };
    return <Failure problem={problem} retry={retry} />;
  }
}
