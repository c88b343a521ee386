/** The line of `%%swarm`: read into a form's fields, and written from them. Pure text. */

/** How an option is given: `names` are separated by commas, `lines` are repeated options, one a line. */
export type Kind = 'text' | 'count' | 'choice' | 'flag' | 'names' | 'lines';

/** An option of the magic. */
export interface Option {
  readonly name: string;
  readonly kind: Kind;
  readonly choices?: readonly string[];
}

/** The options of a swarm, in the order in which they are written. */
export const OPTIONS: readonly Option[] = [
  { name: '--maximize', kind: 'text' },
  { name: '--minimize', kind: 'text' },
  { name: '--budget', kind: 'text' },
  { name: '--agents', kind: 'count' },
  { name: '--workers', kind: 'count' },
  { name: '--vary', kind: 'names' },
  { name: '--fix', kind: 'names' },
  { name: '--record', kind: 'names' },
  { name: '--keep', kind: 'lines' },
  { name: '--tradeoff', kind: 'text' },
  { name: '--confirm', kind: 'text' },
  { name: '--confirmation', kind: 'text' },
  { name: '--min-effect', kind: 'text' },
  { name: '--equivalent', kind: 'text' },
  { name: '--prune', kind: 'choice', choices: ['median', 'hyperband', 'none'] },
  { name: '--timeout', kind: 'text' },
  { name: '--seed', kind: 'text' },
  { name: '--cells', kind: 'names' },
  { name: '--setup', kind: 'names' },
  { name: '--mind', kind: 'text' },
  { name: '--model', kind: 'names' },
  { name: '--base-url', kind: 'text' },
  { name: '--gpus', kind: 'count' },
  { name: '--read', kind: 'lines' },
  { name: '--network', kind: 'flag' },
  { name: '--unsafe', kind: 'flag' },
  { name: '--new', kind: 'flag' },
  { name: '--here', kind: 'flag' },
  { name: '--wait', kind: 'flag' }
];

/** What a line says. */
export interface Magic {
  readonly name: string;
  /** Option → its text ("on" for a flag); an option that is not given has none. */
  readonly values: Readonly<Record<string, string>>;
  /** Words that no field shows: they stay as they are. */
  readonly rest: readonly string[];
}

const KNOWN = new Map(OPTIONS.map(option => [option.name, option]));

/**
 * The words of a line, as a shell would split them; null where a quotation mark is not closed.
 *
 *     split('wine --keep "a <= 5"') → ['wine', '--keep', 'a <= 5']
 */
export function split(line: string): string[] | null {
  const words: string[] = [];
  const whole = /(?:[^\s'"\\]+|\\[^]|'[^']*'|"(?:\\[^]|[^"\\])*")+/y;
  const text = line.replace(/\{\{\s*(.*?)\s*\}\}/g, '{{$1}}');
  for (let at = 0; at < text.length;) {
    if (/\s/.test(text.charAt(at))) {
      at += 1;
      continue;
    }
    whole.lastIndex = at;
    const found = whole.exec(text);
    if (!found) {
      return null;
    }
    words.push(bare(found[0]));
    at = whole.lastIndex;
    if (at < text.length && !/\s/.test(text.charAt(at))) {
      return null;
    }
  }
  return words;
}

function bare(word: string): string {
  return word.replace(
    /\\([^])|'([^']*)'|"((?:\\[^]|[^"\\])*)"/g,
    (_, escaped?: string, single?: string, double?: string) =>
      escaped ?? single ?? (double ?? '').replace(/\\(["\\])/g, '$1')
  );
}

/** A word as it has to stand in a line; line breaks, which a line cannot hold, become blanks. */
export function quoted(word: string): string {
  const flat = word.replace(/[\r\n]+/g, ' ');
  if (flat !== '' && !/[\s'"\\]/.test(flat)) {
    return flat;
  }
  return `"${flat.replace(/["\\]/g, '\\$&')}"`;
}

/** What a line says, with or without its `%%swarm`; null where it cannot be split. `--plan` is left out. */
export function parsed(line: string): Magic | null {
  const words = split(line.replace(/^\s*%%swarm\b/, ''));
  if (!words) {
    return null;
  }
  let name = '';
  const [values, rest]: [Record<string, string>, string[]] = [{}, []];
  while (words.length) {
    const word = words.shift() ?? '';
    const [key, given] = parted(word);
    const option = KNOWN.get(key);
    if (option?.kind === 'flag' && given === null) {
      values[key] = 'on';
    } else if (option && option.kind !== 'flag' && (given !== null || words.length)) {
      const value = given ?? words.shift() ?? '';
      const joint = option.kind === 'lines' ? '\n' : ',';
      values[key] = values[key] === undefined ? value : values[key] + joint + value;
    } else if (!word.startsWith('--') && !name) {
      name = word;
    } else if (word !== '--plan') {
      rest.push(word);
    }
  }
  return { name, values, rest };
}

function parted(word: string): [string, string | null] {
  const at = word.startsWith('--') ? word.indexOf('=') : -1;
  return at < 0 ? [word, null] : [word.slice(0, at), word.slice(at + 1)];
}

/**
 * The line that says so; what is empty is left out.
 *
 *     written({ name: 'wine', values: { '--maximize': 'f1' }, rest: [] }) → '%%swarm wine --maximize f1'
 */
export function written({ name, values, rest }: Magic): string {
  const words = ['%%swarm', ...(name.trim() ? [quoted(name.trim())] : [])];
  for (const { name: option, kind } of OPTIONS) {
    const value = (values[option] ?? '').trim();
    if (value === '') {
      continue;
    }
    if (kind === 'flag') {
      words.push(option);
    } else {
      const parts = kind === 'lines' ? value.split('\n') : [value];
      parts.filter(part => part.trim()).forEach(part => words.push(...given(option, part.trim())));
    }
  }
  return [...words, ...rest.map(quoted)].join(' ');
}

function given(option: string, value: string): string[] {
  return value.startsWith('--') ? [quoted(`${option}=${value}`)] : [option, quoted(value)];
}

// ---------------------------------------------------------------- cells

/** A cell, taken apart: the line of `%%swarm` (null where it has none) and what stands below it. */
export function parts(source: string): { line: string | null; body: string } {
  const found = /^\s*(%%swarm\b[^\n]*)(?:\n|$)/.exec(source);
  return found ? { line: found[1] ?? '', body: source.slice(found[0].length) } : { line: null, body: source };
}

/** The cell magic that a cell begins with, if it is another than ours: `%%time`. */
export function otherMagic(source: string): string {
  const word = /^\s*(%%[^\s%]\S*)/.exec(source)?.[1] ?? '';
  return word === '%%swarm' ? '' : word;
}

/**
 * The names that a cell assigns at its top level, the last first: what can be measured.
 *
 *     assigned('model = fit()\nf1, loss = score(model)') → ['loss', 'f1', 'model']
 */
export function assigned(code: string): string[] {
  return [...new Set(code.split('\n').flatMap(targets).reverse())];
}

/** The names that a line assigns; none where it assigns anything else. Every step looks at the line once. */
function targets(line: string): string[] {
  const at = line.indexOf('=');
  if (at < 0 || line[at + 1] === '=' || /^\s/.test(line)) {
    return [];
  }
  const [before = ''] = line.slice(0, at).split(':');
  const names = before.split(',').map(name => name.trim());
  const last = (names.pop() ?? '').replace(/[-+*/%&|^@]{1,2}$/, '').trimEnd();
  const all = last === '' && names.length > 0 ? names : [...names, last];
  return all.every(name => /^[A-Za-z_]\w*$/.test(name) && !CLAUSES.has(name)) ? all : [];
}

/** What stands before a colon at the top level, too. */
const CLAUSES = new Set(['else', 'try', 'finally']);

// ---------------------------------------------------------------- budgets

/** What a budget says; null for what it does not limit. */
export interface Amount {
  seconds: number | null;
  experiments: number | null;
  dollars: number | null;
  tokens: number | null;
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86400 };
const TOKENS: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6 };

/**
 * A budget as the magic reads it; null where it is none.
 *
 *     amount('2m,500x') → { seconds: 120, experiments: 500, dollars: null, tokens: null }
 */
export function amount(text: string): Amount | null {
  const found: Amount = { seconds: null, experiments: null, dollars: null, tokens: null };
  for (const part of text.toLowerCase().split(',')) {
    if (!take(part.trim(), found)) {
      return null;
    }
  }
  return found.seconds === 0 || found.experiments === 0 ? null : found;
}

function take(part: string, found: Amount): boolean {
  const dollars = /^(?:\$\s*(\d+(?:\.\d+)?)|(\d+(?:\.\d+)?)\s*usd)$/.exec(part);
  const tokens = /^(\d+(?:\.\d+)?)\s*([km]?)t$/.exec(part);
  const runs = /^(\d+)\s*x$/.exec(part);
  if (dollars && found.dollars === null) {
    found.dollars = Number(dollars[1] ?? dollars[2]);
  } else if (tokens && found.tokens === null) {
    found.tokens = Number(tokens[1]) * (TOKENS[tokens[2] ?? ''] ?? 1);
  } else if (runs && found.experiments === null) {
    found.experiments = Number(runs[1]);
  } else if (/^(?:\d+(?:\.\d+)?\s*[smhd]\s*)+$/.test(part) && found.seconds === null) {
    const all = [...part.matchAll(/(\d+(?:\.\d+)?)\s*([smhd])/g)];
    found.seconds = all.reduce((sum, [, number, unit]) => sum + Number(number) * (SECONDS[unit ?? ''] ?? 0), 0);
  } else {
    return false;
  }
  return true;
}
