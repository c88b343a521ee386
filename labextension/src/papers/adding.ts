import { CONTENTS_MIME } from './mime';
import type { Host } from '../host';
import { problemOf } from '../problem';
import { Queue, sourceOf } from './queue';

/** Papers on their way of each folder: they go on while another section is shown. */
const queues = new WeakMap<Host, Map<string, Shelf>>();

/** A workspace's queue, and how often the library has changed by it. */
export interface Shelf {
  queue: Queue;
  turn: number;
}

/** The queue of a workspace, the same one for as long as the panel lives. */
export function shelfOf(host: Host, folder: string): Shelf {
  const known = queues.get(host) ?? new Map<string, Shelf>();
  queues.set(host, known);
  const found = known.get(folder);
  if (found) {
    return found;
  }
  const shelf: Shelf = {
    turn: 0,
    queue: new Queue(
      error => problemOf(error).problem,
      () => {
        shelf.turn++;
      }
    )
  };
  known.set(folder, shelf);
  return shelf;
}

/** Files from the desktop: each is sent, kept beside the notebooks and read. */
export function addFiles(host: Host, folder: string, files: Iterable<File>, most: number): void {
  const { queue } = shelfOf(host, folder);
  for (const file of files) {
    if (most > 0 && file.size > most) {
      queue.refuse(file.name, {
        message: host.trans.__('This file is too large: %1 MB.', Math.ceil(file.size / 2 ** 20)),
        where: file.name,
        cure: host.trans.__('at most %1 MB; an administrator sets it', Math.floor(most / 2 ** 20)),
        reason: 'UsageError'
      });
    } else {
      queue.push(file.name, sent => host.api.upload(folder, file, sent), true);
    }
  }
}

/** A path relative to the workspace's folder, a pattern, or `module:NAME`. */
export function addSource(host: Host, folder: string, source: string): void {
  shelfOf(host, folder).queue.push(source, () => host.api.addPapers(folder, [source]));
}

/** Files of JupyterLab's own browser: they are where the server is, so nothing is sent. */
export function addPaths(host: Host, folder: string, paths: readonly string[]): void {
  for (const path of paths) {
    const source = sourceOf(path, folder);
    if (source === null) {
      shelfOf(host, folder).queue.refuse(path, {
        message: host.trans.__('This file lies outside of the swarm’s folder.'),
        where: path,
        cure: host.trans.__('copy it into %1 first', folder),
        reason: 'UsageError'
      });
    } else {
      addSource(host, folder, source);
    }
  }
}

/** The files that JupyterLab's browser drags, by their paths; [] for whatever else is dragged there. */
export function pathsOf(data: { hasData(mime: string): boolean; getData(mime: string): unknown }): string[] {
  const paths = data.hasData(CONTENTS_MIME) ? data.getData(CONTENTS_MIME) : [];
  return Array.isArray(paths) ? paths.filter((path): path is string => typeof path === 'string') : [];
}
