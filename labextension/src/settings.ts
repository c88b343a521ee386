import type { ISettingRegistry } from '@jupyterlab/settingregistry';
import { type ISignal, Signal } from '@lumino/signaling';

/** What a person has set in the settings editor (`schema/plugin.json` has the same defaults). */
export class Preferences {
  version = 0;
  /** Ask the server for news by itself. */
  refresh = true;
  /** Show the folder of the current notebook, until another is chosen. */
  follow = true;
  /** Ask before a swarm is stopped. */
  confirmStop = true;
  /** Swarms that are listed at first. */
  rows = 20;
  private readonly signal = new Signal<this, void>(this);

  get changed(): ISignal<this, void> {
    return this.signal;
  }

  /** Take the settings in, now and whenever they change. */
  async load(registry: ISettingRegistry, plugin: string): Promise<void> {
    const settings = await registry.load(plugin);
    const apply = (): void => {
      this.take(settings.composite);
    };
    settings.changed.connect(apply);
    apply();
  }

  private take(values: ISettingRegistry.ISettings['composite']): void {
    this.refresh = values.refresh !== false;
    this.follow = values.follow !== false;
    this.confirmStop = values.confirmStop !== false;
    this.rows = typeof values.rows === 'number' ? values.rows : 20;
    this.version += 1;
    this.signal.emit();
  }
}
