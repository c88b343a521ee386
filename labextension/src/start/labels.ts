import type { TranslationBundle } from '@jupyterlab/translation';

import type * as W from '../words';
import { amount, type Magic } from './magic';

/** How a field is called, and what it means. */
export interface Label {
  label: string;
  help: string;
}

/** Names and explanations of the options. */
export function labels(trans: TranslationBundle): Readonly<Record<string, Label>> {
  const of = (label: string, help: string): Label => ({ label, help });
  return {
    '--budget': of(
      trans.__('Budget'),
      trans.__('Time, experiments or both: 90s, 2m, 500x or 2m,500x (2m where empty); for models 2usd or 500kt too.')
    ),
    '--agents': of(trans.__('Agents'), trans.__('How many; 16 where empty.')),
    '--workers': of(trans.__('Workers'), trans.__('Experiments at once; as many as cores where empty.')),
    '--vary': of(trans.__('Vary only'), trans.__('Names, separated by commas; also NAME=low..high or NAME=a|b.')),
    '--fix': of(trans.__('Never vary'), trans.__('Names, separated by commas.')),
    '--record': of(trans.__('Record'), trans.__('Names whose values are kept of each run, besides the metric.')),
    '--keep': of(trans.__('Conditions'), trans.__('What a variation has to keep, one a line, as in latency_ms <= 5.')),
    '--tradeoff': of(
      trans.__('Second objective'),
      trans.__('A name, seconds or peak_mb; less is better, or NAME:max.')
    ),
    '--confirm': of(
      trans.__('Measure on new data'),
      trans.__('An expression that gives the metric on data that no run has seen.')
    ),
    '--confirmation': of(trans.__('Share for confirming'), trans.__('Of the budget; 50% where empty.')),
    '--min-effect': of(trans.__('Smallest effect'), trans.__('That counts, in units of the metric.')),
    '--equivalent': of(
      trans.__('As good'),
      trans.__('Also look for what is cheaper and worse by no more than this, in units of the metric.')
    ),
    '--prune': of(trans.__('Ending hopeless runs'), trans.__('The rule for first looks; median where empty.')),
    '--timeout': of(trans.__('Longest run'), trans.__('As in 60s; from the first runs where empty.')),
    '--seed': of(trans.__('Seed'), trans.__('Of the swarm’s own choices; 0 where empty.')),
    '--cells': of(trans.__('Join cells'), trans.__('Earlier cells that belong to it, by their numbers, as in 3-6,8.')),
    '--setup': of(
      trans.__('Set-up cells'),
      trans.__('Earlier cells that each run executes first, by their numbers; never varied.')
    ),
    '--mind': of(trans.__('Mind'), trans.__('How the agents think; classical where empty.')),
    '--model': of(trans.__('Language models'), trans.__('As in openai:gpt-5-mini or ollama:qwen3; none where empty.')),
    '--base-url': of(trans.__('Where models are asked'), trans.__('A server that speaks the provider’s protocol.')),
    '--gpus': of(trans.__('GPUs'), trans.__('To deal out, one to each experiment.')),
    '--read': of(trans.__('May be read'), trans.__('Files or folders that runs may read, one a line.')),
    '--network': of(trans.__('Let runs open connections'), ''),
    '--unsafe': of(trans.__('Run where this machine cannot shut runs in'), ''),
    '--new': of(trans.__('Start another, even if nothing has changed'), ''),
    '--here': of(trans.__('Run the cell in the notebook too'), ''),
    '--wait': of(trans.__('Let the cell wait until the swarm is over'), '')
  };
}

/** What of a line an administrator does not allow, in words. */
export function exceeded(trans: TranslationBundle, limits: W.Limits, { values }: Magic): string[] {
  const budget = amount(values['--budget'] ?? '');
  const over = (given: number | null, most: number | null): boolean => given !== null && most !== null && given > most;
  const said = [
    limits.read_only && trans.__('An administrator has made swarms read-only here.'),
    over(Number(values['--agents'] ?? 0), limits.agents) && trans.__('At most %1 agents are allowed.', limits.agents),
    over(Number(values['--workers'] ?? 0), limits.workers) &&
      trans.__('At most %1 workers are allowed.', limits.workers),
    over(budget?.seconds ?? null, limits.seconds) && trans.__('A budget of at most %1 s is allowed.', limits.seconds),
    over(budget?.experiments ?? null, limits.experiments) &&
      trans.__('A budget of at most %1 experiments is allowed.', limits.experiments),
    over(budget?.dollars ?? null, limits.dollars) && trans.__('At most $%1 are allowed.', limits.dollars),
    over(budget?.tokens ?? null, limits.tokens) && trans.__('At most %1 tokens are allowed.', limits.tokens),
    Boolean(values['--network']) && !limits.network && trans.__('Connections are not allowed here.'),
    Boolean(values['--gpus']) && !limits.gpus && trans.__('GPUs are not allowed here.'),
    Boolean(values['--unsafe']) && !limits.unsafe && trans.__('Runs that are not shut in are not allowed here.'),
    ...(values['--model'] ?? '').split(',').map(model => forbidden(trans, limits.models, model.trim()))
  ];
  return said.filter((each): each is string => typeof each === 'string');
}

function forbidden(trans: TranslationBundle, allowed: readonly string[], model: string): string | false {
  if (!model || !allowed.length || allowed.some(pattern => matches(pattern, model))) {
    return false;
  }
  return trans.__('The model %1 is not allowed; allowed are: %2.', model, allowed.join(', '));
}

/** Whether a word fits a pattern with `*` and `?`. */
export function matches(pattern: string, word: string): boolean {
  const escaped = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*/g, '.*')
    .replace(/\?/g, '.');
  return new RegExp(`^${escaped}$`).test(word);
}

/** What is wrong with a form before anybody is asked, in words. */
export function mistakes(trans: TranslationBundle, { values, name }: Magic): string[] {
  const budget = values['--budget'] ?? '';
  const counts = ['--agents', '--workers', '--gpus'].filter(key => !/^([1-9]\d*)?$/.test((values[key] ?? '').trim()));
  const metric = values['--maximize'] ?? values['--minimize'] ?? '';
  const said = [
    !metric && trans.__('Choose what to measure.'),
    name !== '' &&
      !/^[A-Za-z][\w.-]{0,63}$|\{\{/.test(name) &&
      trans.__('A name begins with a letter; letters, digits, - and _ follow.'),
    budget !== '' &&
      !budget.includes('{{') &&
      !amount(budget) &&
      trans.__('The budget cannot be read; write it as in 2m, 500x or 2m,500x.'),
    counts.length > 0 &&
      trans.__('%1 has to be a whole number of at least 1.', counts.map(key => labels(trans)[key]?.label).join(', '))
  ];
  return said.filter((each): each is string => typeof each === 'string');
}
