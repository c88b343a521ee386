import { URLExt } from '@jupyterlab/coreutils';
import { ServerConnection } from '@jupyterlab/services';
import type { TranslationBundle } from '@jupyterlab/translation';

import { ApiProblem } from './problem';
import { sending, Unsent } from './sending';
import type * as W from './words';

export { ApiProblem } from './problem';

/** Seconds that a call may take, besides what it waits for. */
const USUAL = 20;
/** … for what the server has to work at: a report, a paper. */
const LONG = 300;
/** … to send and read a paper: the server itself gives up after 900. */
const READING = 1800;

/** What comes after a cursor; `wait` are the seconds that the server may hold the answer back until there is news. */
export interface After {
  after: number;
  ledger: string;
  wait: number;
  signal?: AbortSignal;
}

interface Call {
  method?: 'GET' | 'POST';
  query?: Record<string, string | number>;
  body?: object;
  seconds?: number;
  signal?: AbortSignal | undefined;
}

/** The server's routes, one method each. Every call ends: with an answer, or with an `ApiProblem`. */
export class Api {
  constructor(
    private readonly settings: ServerConnection.ISettings,
    private readonly trans: TranslationBundle
  ) {}

  about(folder: string): Promise<W.About> {
    return this.call(['about'], { query: { folder } });
  }

  workspaces(): Promise<W.Places> {
    return this.call(['workspaces'], {});
  }

  swarms(folder: string, { after, ledger, wait, signal }: After): Promise<W.Briefs> {
    return this.call(['swarms'], { query: { folder, after, ledger, wait }, seconds: USUAL + wait, signal });
  }

  /** What is new of a swarm; `alive` is what is known of its runner, so that its end is news too. */
  swarm(folder: string, name: string, alive: boolean, { after, ledger, wait, signal }: After): Promise<W.Changes> {
    const query = { folder, after, ledger, alive: alive ? 1 : 0, wait };
    return this.call(['swarms', name], { query, seconds: USUAL + wait, signal });
  }

  events(folder: string, name: string, after: number, limit: number, signal?: AbortSignal): Promise<W.Events> {
    return this.call(['swarms', name, 'events'], { query: { folder, after, limit }, signal });
  }

  hypothesis(folder: string, name: string, id: string, signal?: AbortSignal): Promise<W.Hypothesis> {
    return this.call(['swarms', name, 'hypotheses', id], { query: { folder }, signal });
  }

  run(folder: string, name: string, number: number, signal?: AbortSignal): Promise<W.Run> {
    return this.call(['swarms', name, 'runs', String(number)], { query: { folder }, signal });
  }

  /** The executed notebook of a run, as nbformat has it. */
  notebook(folder: string, name: string, number: number, signal?: AbortSignal): Promise<unknown> {
    return this.call(['swarms', name, 'runs', String(number), 'notebook'], { query: { folder }, signal });
  }

  /** Copy the executed notebook of a run beside the person's notebooks. */
  copyNotebook(folder: string, name: string, number: number): Promise<W.Written> {
    const path = ['swarms', name, 'runs', String(number), 'notebook'];
    return this.call(path, { method: 'POST', query: { folder }, body: {}, seconds: LONG });
  }

  ask(folder: string, name: string, ask: W.Ask): Promise<W.Taken> {
    const seconds = USUAL + (ask.wait ?? 0);
    return this.call(['swarms', name, 'requests'], { method: 'POST', query: { folder }, body: ask, seconds });
  }

  report(folder: string, name: string): Promise<W.Written> {
    return this.call(['swarms', name, 'report'], { method: 'POST', query: { folder }, body: {}, seconds: LONG });
  }

  papers(folder: string, signal?: AbortSignal): Promise<W.Papers> {
    return this.call(['papers'], { query: { folder }, signal });
  }

  searchPapers(folder: string, words: string, signal?: AbortSignal): Promise<W.Hits> {
    return this.call(['papers', 'search'], { query: { folder, q: words }, seconds: 60, signal });
  }

  /** A window of a paper's text; the server's own choice of its end where none is given. */
  text(folder: string, paper: string, start = 0, end?: number, signal?: AbortSignal): Promise<W.Text> {
    const query = { folder, start, ...(end === undefined ? {} : { end }) };
    return this.call(['papers', paper], { query, signal });
  }

  addPapers(folder: string, sources: string[], signal?: AbortSignal): Promise<W.Additions> {
    const body: W.Sources = { sources };
    return this.call(['papers'], { method: 'POST', query: { folder }, body, seconds: READING, signal });
  }

  /** Send a file, keep it beside the notebooks, and add it to the library; `sent` is told how much has travelled. */
  async upload(folder: string, file: File, sent: (share: number) => void, signal?: AbortSignal): Promise<W.Additions> {
    const url = this.url(['papers', 'files', file.name], { folder });
    const response = await sending({ url, file, settings: this.settings, seconds: READING, sent, signal }).catch(
      (reason: unknown) => {
        throw this.none(reason instanceof Unsent ? reason.why : 'Network');
      }
    );
    return this.read<W.Additions>(response);
  }

  // ---------------------------------------------------------------- the only fetch

  private async call<T>(path: string[], call: Call): Promise<T> {
    const limit = new AbortController();
    const cancel = (): void => {
      limit.abort();
    };
    if (call.signal?.aborted) {
      throw this.none('Cancelled');
    }
    call.signal?.addEventListener('abort', cancel);
    const timer = setTimeout(cancel, (call.seconds ?? USUAL) * 1000);
    try {
      const response = await this.request(path, call, limit.signal);
      return await this.read<T>(response);
    } catch (error) {
      if (error instanceof ApiProblem) {
        throw error;
      }
      throw this.none(call.signal?.aborted ? 'Cancelled' : limit.signal.aborted ? 'Timeout' : 'Network');
    } finally {
      clearTimeout(timer);
      call.signal?.removeEventListener('abort', cancel);
    }
  }

  private request(path: string[], call: Call, signal: AbortSignal): Promise<Response> {
    const init: RequestInit = { method: call.method ?? 'GET', signal, cache: 'no-store' };
    if (call.body !== undefined) {
      init.body = JSON.stringify(call.body);
    }
    return ServerConnection.makeRequest(this.url(path, call.query ?? {}), init, this.settings);
  }

  private url(path: string[], values: Record<string, string | number>): string {
    const query = Object.entries(values).map(([key, value]): [string, string] => [key, String(value)]);
    const route = URLExt.join(this.settings.baseUrl, 'jupyter-swarm', 'api', ...path.map(encodeURIComponent));
    return `${route}?${new URLSearchParams(query)}`;
  }

  private async read<T>(response: Response): Promise<T> {
    const text = await response.text();
    let body: unknown;
    try {
      body = JSON.parse(text);
    } catch {
      body = null;
    }
    if (response.ok && body !== null) {
      return body as T;
    }
    const wait = Number(response.headers.get('Retry-After') ?? 0);
    throw new ApiProblem(response.status, this.problem(response, body), Number.isFinite(wait) ? wait : 0);
  }

  private problem(response: Response, body: unknown): W.Problem {
    const said = (typeof body === 'object' ? body : null) as Partial<W.Problem> | null;
    const message = typeof said?.message === 'string' ? said.message : '';
    if (response.status === 403 && !said?.reason) {
      return this.words('Refused', this.trans.__('The server refuses this.'), this.trans.__('log in again'));
    }
    if (response.status === 404 && !said?.reason) {
      const cure = this.trans.__('enable it: jupyter server extension enable jupyter_swarm, and restart the server');
      return this.words('NoServer', this.trans.__('The server knows nothing of swarms.'), cure);
    }
    const denied = response.status === 403 ? this.trans.__('ask the administrator for the right to do so') : '';
    return {
      message: message || this.trans.__('The server answered with status %1.', response.status),
      where: said?.where ?? '',
      cure: said?.cure || denied,
      reason: said?.reason ?? ''
    };
  }

  /** No answer came. */
  private none(reason: 'Cancelled' | 'Network' | 'Timeout'): ApiProblem {
    const cure = this.trans.__('it is tried again by itself; see whether the server runs');
    const words = {
      Cancelled: this.trans.__('This was cancelled.'),
      Network: this.trans.__('The server cannot be reached.'),
      Timeout: this.trans.__('The server did not answer in time.')
    };
    return new ApiProblem(reason === 'Timeout' ? 408 : 0, this.words(reason, words[reason], cure));
  }

  private words(reason: string, message: string, cure: string): W.Problem {
    return { message, where: '', cure, reason };
  }
}
