import { ReactWidget } from '@jupyterlab/ui-components';
import type { Message } from '@lumino/messaging';
import type { ReactElement } from 'react';

import type { Host } from './host';
import { swarmIcon } from './icon';
import { Navigator } from './navigator';
import { Panel, type PanelProps } from './Panel';

/** What a panel's widget is given; it makes its own navigator, and a host that leads there. */
export type Parts = Omit<PanelProps, 'navigator' | 'host'> & { host: Omit<Host, 'goTo'> };

/** The panel inside a Lumino widget: in the side bar, or wide in the main area. */
export class SwarmPanel extends ReactWidget {
  readonly navigator = new Navigator();
  private readonly props: PanelProps;
  private release: (() => void) | null = null;

  constructor(id: string, { host, ...parts }: Parts) {
    super();
    const goTo: Host['goTo'] = (section, argument) => {
      this.navigator.goTo(section, argument);
    };
    // `may` is asked for whenever it is read: rights come after the panel.
    const own = Object.create(host, { goTo: { value: goTo } }) as Host;
    this.props = { ...parts, host: own, navigator: this.navigator };
    this.id = id;
    this.addClass('jp-Swarm');
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', host.trans.__('Swarm'));
    this.title.icon = swarmIcon;
    this.title.caption = host.trans.__('Swarm');
  }

  override dispose(): void {
    this.hold(false);
    this.navigator.begin(null);
    super.dispose();
  }

  protected override render(): ReactElement {
    return <Panel {...this.props} />;
  }

  protected override onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this.hold(this.isVisible);
  }

  protected override onAfterShow(message: Message): void {
    super.onAfterShow(message);
    this.hold(true);
  }

  protected override onAfterHide(message: Message): void {
    super.onAfterHide(message);
    this.hold(false);
  }

  protected override onBeforeDetach(message: Message): void {
    this.hold(false);
    super.onBeforeDetach(message);
  }

  /** News of the swarm that is shown is asked for while a panel can be seen. */
  private hold(visible: boolean): void {
    if (visible && !this.release) {
      this.release = this.props.session.hold();
    } else if (!visible) {
      this.release?.();
      this.release = null;
    }
  }
}
