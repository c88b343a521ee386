import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { IStateDB } from '@jupyterlab/statedb';

import type { Api } from '../src/api';
import { SwarmModel } from '../src/model';
import { ApiProblem } from '../src/problem';
import { amount, assigned, OPTIONS, otherMagic, parsed, parts, quoted, split, written } from '../src/start/magic';
import { Session } from '../src/session';
import { Steering } from '../src/steering';
import { Stream, TIMES } from '../src/stream';
import type * as W from '../src/words';

// ---------------------------------------------------------------- the magic's line

test('a line is split as a shell would', () => {
  assert.deepEqual(split('wine --keep "a <= 5"  --fix x,y'), ['wine', '--keep', 'a <= 5', '--fix', 'x,y']);
  assert.deepEqual(split(`a'b c'"d\\"e" \\ f`), ['ab cd"e', ' f']);
  assert.deepEqual(split('--budget {{ budget }}'), ['--budget', '{{budget}}']);
  assert.equal(split('--keep "a'), null);
  assert.equal(split("it's"), null);
  assert.deepEqual(split(''), []);
});

test('what is written is read again as the same, whatever stands in the fields', () => {
  const nasty = ['a b', `it's "so"`, 'C:\\x\\', '--dashes', 'ä ≤ 5', '{{budget}}', '$HOME `x` | y > z', '#1', '='];
  const draw = nasty.values();
  const values: Record<string, string> = {};
  for (const { name, kind } of OPTIONS.filter(each => each.name !== '--minimize')) {
    const word = draw.next().value ?? 'plain';
    values[name] = kind === 'flag' ? 'on' : kind === 'lines' ? `${word}\nsecond one` : word;
  }
  const magic = { name: 'wine', values, rest: [] };
  assert.deepEqual(parsed(written(magic)), magic);
});

test('a line of a person is read: equals signs, repeated options, words that no field has; the plan is left out', () => {
  const found = parsed('%%swarm wine --maximize=f1 --vary a --vary b,c --keep "x < 1" --keep y>0 --new --plan --odd 3');
  assert.deepEqual(found, {
    name: 'wine',
    values: { '--maximize': 'f1', '--vary': 'a,b,c', '--keep': 'x < 1\ny>0', '--new': 'on' },
    rest: ['--odd', '3']
  });
  assert.equal(
    found && written(found),
    '%%swarm wine --maximize f1 --vary a,b,c --keep "x < 1" --keep y>0 --new --odd 3'
  );
  assert.equal(parsed('--keep "open'), null);
});

test('a line break in a field cannot end the line', () => {
  assert.equal(quoted('a\nimport os'), '"a import os"');
  assert.equal(written({ name: 'x\n%rm', values: {}, rest: [] }).includes('\n'), false);
});

test('cells are taken apart at the magic', () => {
  assert.deepEqual(parts('\n%%swarm a --plan\nx = 1\n'), { line: '%%swarm a --plan', body: 'x = 1\n' });
  assert.deepEqual(parts('x = 1'), { line: null, body: 'x = 1' });
  assert.deepEqual(parts('%%swarm'), { line: '%%swarm', body: '' });
  assert.equal(otherMagic('%%time\nx = 1'), '%%time');
  assert.equal(otherMagic('%%swarm\nx = 1'), '');
  assert.equal(otherMagic('%time x'), '');
});

test('what a cell assigns, the last first', () => {
  const code = [
    '"""a = 1?"""', 'model: Model = fit()', 'f1, loss = score(model)', 'n += 1', 'if x == 2:', '    inner = 3',
    'print(a=1)', 'd["k"] = 1', 'o.p = 2', 'loss = 2'
  ]; // prettier-ignore
  assert.deepEqual(assigned(code.join('\n')), ['loss', 'n', 'f1', 'model']);
  assert.deepEqual(assigned('only, = pair\nelse: x = 1\nx //= 2\ny != 2\na <= b'), ['x', 'only']);
});

test('what a cell assigns is found at once, whatever its lines say', () => {
  const lines = [
    'from __future__ import annotations', 'This cell trains a classifier and measures it on many other cells'.repeat(50),
    `${'f'.repeat(100_000)}(x)`, `${'a, '.repeat(50_000)}b`, `${'a '.repeat(50_000)}= 1`, `${' '.repeat(100_000)}x = 1`,
    `x${' '.repeat(100_000)}y`, `x${' '.repeat(100_000)}+y = 1`
  ]; // prettier-ignore
  const began = Date.now();
  assert.deepEqual(assigned([...lines, 'f1 = 1'].join('\n')), ['f1']);
  assert.equal(Date.now() - began < 2000, true);
});

test('budgets are read as the magic reads them', () => {
  assert.deepEqual(amount('2m,500x'), { seconds: 120, experiments: 500, dollars: null, tokens: null });
  assert.deepEqual(amount('1h30m'), { seconds: 5400, experiments: null, dollars: null, tokens: null });
  assert.deepEqual(amount('1m,$2.50,500kT'), { seconds: 60, experiments: null, dollars: 2.5, tokens: 500000 });
  for (const nonsense of ['', '5', '2m 500x', '0s', '0x', '1.5x', '2m,3m', 'x', '-2m', '2m,']) {
    assert.equal(amount(nonsense), null, nonsense);
  }
});

// ---------------------------------------------------------------- the model

function card(more: Partial<W.Card> = {}): W.Card {
  return {
    name: 's', phase: 'running', alive: true, doing: 'running', asked: '', why: '', question: '', metric: 'f1',
    maximize: true, begun: 0, updated: 0, budget: { seconds: 60 },
    spend: { seconds: 0, experiments: 0, screening: 0, confirmation: 0, calls: 0, tokens: 0, dollars: null },
    running: 0, baseline: null, best: null, supported: 0, refuted: 0, open: 0, testing: 0, answer: '', alarm: '',
    failures: {}, models: [], roles: {}, ...more
  }; // prettier-ignore
}

function runsOf(rows: [number, string, number | null][]): W.Runs {
  const fill = <T>(value: T): T[] => rows.map(() => value);
  return {
    number: rows.map(row => row[0]), seed: fill(0), purpose: fill('screening'), direction: fill('D1'),
    agent: fill('A1'), hypothesis: fill('H1'), state: rows.map(row => row[1]), value: rows.map(row => row[2]),
    seconds: fill(1), clock: fill(1), title: fill('t'), edits: fill({})
  }; // prettier-ignore
}

function changes(more: Partial<W.Changes> = {}): W.Changes {
  return {
    ledger: 'L', cursor: 1, at: Date.now() / 1000, whole: false, card: card(), knobs: [], directions: [], findings: [],
    agents: [], runs: runsOf([]), log: [], answers: [], ...more
  }; // prettier-ignore
}

function direction(id: string, priority: number, closed = ''): W.Direction {
  return {
    id, title: id, agent: 'A1', why: '', closed, priority, promise: 0.5, low: 0, high: 1, share: 0, trials: 0,
    supported: 0, failures: 0, hypotheses: 0, targets: [], citations: [], sentences: [], contradictions: []
  }; // prettier-ignore
}

function heard(model: SwarmModel): string[] {
  const parts: string[] = [];
  model.changed.connect((_, part) => parts.push(part));
  return parts;
}

test('runs grow in place, and one that ends is written over', () => {
  const model = new SwarmModel('', 's');
  model.apply(changes({ whole: true, runs: runsOf([[1, 'running', null], [2, 'running', null]]) })); // prettier-ignore
  const { runs } = model;
  const parts = heard(model);
  model.apply(changes({ cursor: 2, runs: runsOf([[1, 'ok', 0.5], [3, 'running', null]]) })); // prettier-ignore
  assert.equal(model.runs, runs, 'the same columns');
  assert.deepEqual(runs.state, ['ok', 'running', 'running']);
  assert.deepEqual(runs.value, [0.5, null, null]);
  assert.equal(runs.length, 3);
  assert.deepEqual(parts, ['runs']);
  assert.equal(model.runsVersion > 1, true);
});

test('a run that comes late stands where its number says', () => {
  const model = new SwarmModel('', 's');
  model.apply(changes({ runs: runsOf([[1, 'ok', 1], [4, 'ok', 4]]) })); // prettier-ignore
  model.apply(changes({ runs: runsOf([[2, 'ok', 2]]) }));
  assert.deepEqual(model.runs.number, [1, 2, 4]);
  assert.deepEqual([1, 2, 3, 4].map(number => model.rowOf(number)), [0, 1, -1, 2]); // prettier-ignore
  assert.deepEqual(model.runs.value, [1, 2, 4]);
});

test('directions: open ones first, then by priority, then by number', () => {
  const model = new SwarmModel('', 's');
  model.apply(changes({ directions: [direction('D10', 1), direction('D2', 1), direction('D3', 9, 'done')] }));
  model.apply(changes({ directions: [direction('D4', 2)] }));
  assert.deepEqual(model.directions.map(each => each.id), ['D4', 'D2', 'D10', 'D3']); // prettier-ignore
});

test('an unchanged card is no news; a whole answer or another ledger forgets what was known', () => {
  const model = new SwarmModel('', 's');
  model.apply(changes({ whole: true, directions: [direction('D1', 1)], runs: runsOf([[1, 'ok', 1]]) }));
  const parts = heard(model);
  model.apply(changes({ cursor: 2 }));
  assert.deepEqual(parts, []);
  model.apply(changes({ cursor: 1, ledger: 'other' }));
  assert.deepEqual([model.directions.length, model.runs.length, model.rowOf(1)], [0, 0, -1]);
  assert.equal(parts.includes('runs') && parts.includes('directions'), true);
});

test('lines that came already are not shown twice; an answer is renewed', () => {
  const model = new SwarmModel('', 's');
  const line = (number: number): W.Line => ({ number, at: 0, level: 'info', text: String(number) });
  const answer = (number: number, done: boolean | null): W.Answer => ({
    number, verb: 'pause', target: '', value: null, done, answer: ''
  }); // prettier-ignore
  model.apply(changes({ log: [line(1), line(2)], answers: [answer(5, null)] }));
  model.apply(changes({ log: [line(2), line(3)], answers: [answer(5, true)] }));
  assert.deepEqual(model.log.map(each => each.number), [1, 2, 3]); // prettier-ignore
  assert.deepEqual(model.answers.map(each => each.done), [true]); // prettier-ignore
});

test('moments are by the server’s clock, however wrong the browser’s is', () => {
  const model = new SwarmModel('', 's');
  const server = Date.now() / 1000 - 86400;
  model.apply(changes({ at: server }));
  assert.equal(Math.abs(model.now() - server) < 1, true);
  model.apply(changes({ at: server - 2 })); // an answer that was long under way
  assert.equal(Math.abs(model.now() - server) < 1, true);
  model.apply(changes({ at: server + 3600 })); // the server's clock was set
  assert.equal(Math.abs(model.now() - server - 3600) < 1, true);
});

// ---------------------------------------------------------------- the stream

/** The page, as far as the stream looks at it. */
class Page extends EventTarget {
  hidden = false;

  hide(hidden: boolean): void {
    this.hidden = hidden;
    this.dispatchEvent(new Event('visibilitychange'));
  }
}

const page = new Page();
Object.assign(globalThis, { document: page });
Object.assign(TIMES, { wait: 0.2, pause: 0.001, polling: 0.02, slow: 0.2, nudged: 0.03, cut: 0.02, again: 0.3 });
Object.assign(TIMES, { first: 0.02, longest: 0.05 });

const GONE = { message: 'no swarm', where: '', cure: '', reason: 'NoSwarm' };
const AWAY = { message: 'away', where: '', cure: '', reason: 'Network' };

function rest(seconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    setTimeout(resolve, seconds * 1000);
    signal?.addEventListener('abort', () => {
      reject(new ApiProblem(0, { ...AWAY, reason: 'Cancelled' }));
    });
  });
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let tries = 0; !condition(); tries++) {
    assert(tries < 400, `${what} did not come`);
    await rest(0.005);
  }
}

/** A stream over what a server does at each question; the waits that it asked with. */
function streamed(answer: (turn: number, wait: number, signal: AbortSignal) => Promise<void>): [Stream, number[]] {
  const waits: number[] = [];
  const stream = new Stream((wait, signal) => {
    waits.push(wait);
    return answer(waits.length, wait, signal);
  });
  return [stream, waits];
}

test('the first question waits for nothing, the next ones do', async () => {
  const [stream, waits] = streamed((_, wait, signal) => rest(wait, signal));
  stream.start();
  await until(() => waits.length >= 2, 'the second question');
  assert.deepEqual(waits.slice(0, 2), [0, TIMES.wait]);
  assert.equal(stream.connection.state, 'live');
  stream.stop();
  const asked = waits.length;
  await rest(0.3);
  assert.equal(waits.length, asked, 'a stopped stream asks no more');
});

test('a server that is away is asked again, ever later, and found again', async () => {
  const [stream, waits] = streamed((turn, wait, signal) =>
    turn < 5 ? Promise.reject(new ApiProblem(0, AWAY)) : rest(wait, signal)
  );
  const states: string[] = [];
  stream.changed.connect((_, connection) => states.push(connection.state));
  stream.start();
  await until(() => stream.connection.state === 'live', 'the way back');
  assert.deepEqual(states, ['offline', 'live']);
  assert.equal(waits.slice(0, 5).every(wait => wait === 0), true); // prettier-ignore
  stream.stop();
});

test('long polls that are cut twice give way to short ones, and are tried again later', async () => {
  let cutting = true;
  const [stream, waits] = streamed(async (_, wait, signal) => {
    if (wait > 0 && cutting) {
      await rest(0.04, signal);
      throw new ApiProblem(504, AWAY);
    }
    await rest(wait, signal);
  });
  stream.start();
  await until(() => stream.connection.state === 'polling', 'polling');
  assert.equal(waits.filter(wait => wait > 0).length, 2);
  cutting = false;
  await until(() => stream.connection.state === 'live', 'another try');
  stream.stop();
});

test('a deleted swarm is gone, a folder nowhere, a refusal is a refusal, and all may end', async () => {
  const failures = [
    new ApiProblem(404, GONE),
    new ApiProblem(403, AWAY),
    new ApiProblem(404, AWAY),
    new ApiProblem(400, { ...AWAY, reason: 'UsageError' })
  ];
  const [stream] = streamed((turn, wait, signal) => {
    const failure = failures[turn - 1];
    return failure ? Promise.reject(failure) : rest(wait, signal);
  });
  const states: string[] = [];
  stream.changed.connect((_, connection) => states.push(connection.state));
  stream.start();
  await until(() => states.includes('live'), 'its end');
  assert.deepEqual(states, ['gone', 'refused', 'offline', 'nowhere', 'live']);
  stream.stop();
});

test('a hidden page asks nothing and catches up at once when it is seen again', async () => {
  const [stream, waits] = streamed((_, wait, signal) => rest(wait, signal));
  stream.start();
  await until(() => waits.length >= 2, 'the second question');
  page.hide(true);
  await rest(0.05);
  const asked = waits.length;
  await rest(0.3);
  assert.equal(waits.length, asked);
  page.hide(false);
  await until(() => waits.length > asked, 'the next question');
  assert.equal(waits[asked], 0);
  stream.stop();
});

test('a nudge ends a rest at once, and an open poll that stays dumb', async () => {
  const [stream, waits] = streamed((_, wait, signal) => rest(wait > 0 ? 60 : 0, signal));
  stream.start();
  await until(() => waits.length === 2, 'the long poll');
  stream.wake();
  await until(() => waits.length >= 3, 'another question');
  assert.equal(waits[2], 0);
  stream.stop();
  const [late, asked] = streamed(() => Promise.reject(new ApiProblem(503, AWAY, 60)));
  late.start();
  await until(() => late.connection.state === 'offline', 'the refusal');
  late.wake();
  await until(() => asked.length === 2, 'the question after the nudge');
  late.stop();
});

test('one that is started anew does not ask twice at a time', async () => {
  let open = 0;
  let most = 0;
  const [stream, waits] = streamed(async (_, wait, signal) => {
    most = Math.max(most, ++open);
    try {
      await rest(wait > 0 ? 0.02 : 0.001, signal);
    } finally {
      open--;
    }
  });
  for (let turn = 0; turn < 20; turn++) {
    stream.start();
    await rest(0.004);
    stream.stop();
    await rest(0.002);
  }
  stream.start();
  await rest(0.1);
  assert.equal(most, 1);
  assert.equal(waits.length > 20, true);
  stream.stop();
});

// ---------------------------------------------------------------- the session

test('a memory of the page that does not answer keeps nobody from the list', async ({ mock }) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  let listed = 0;
  const api = {
    about: () => new Promise(() => undefined),
    swarms: () => {
      listed++;
      return new Promise(() => undefined);
    }
  } as unknown as Api;
  const session = new Session(api, { fetch: () => new Promise(() => undefined) } as unknown as IStateDB);
  const restored = session.restore();
  session.setRefreshing(false);
  const before = listed;
  mock.timers.tick(5_000);
  await restored;
  assert.equal(listed > before, true);
});

// ---------------------------------------------------------------- steering

const TAKEN: W.Taken = { number: 7, again: false, done: null, answer: '' };

test('a request that the network loses is sent again under the same id, and leaves the list with its answer', async () => {
  const ids: string[] = [];
  const steering = new Steering(ask => {
    ids.push(ask.id ?? '');
    return ids.length < 2 ? Promise.reject(new ApiProblem(0, AWAY)) : Promise.resolve(TAKEN);
  });
  await steering.ask('priority', 'D3', 5);
  assert.equal(ids.length, 2);
  assert.equal(ids[0], ids[1]);
  assert.deepEqual(steering.pending.map(each => each.state), ['taken']); // prettier-ignore
  const answer = { number: 7, verb: 'priority', target: 'D3', value: 5, answer: '' };
  steering.settle([{ ...answer, done: null }], 'L');
  assert.equal(steering.pending.length, 1);
  steering.settle([{ ...answer, done: true }], 'L');
  assert.deepEqual(steering.pending, []);
});

test('one that was answered at once is kept until its outcome is shown, whichever comes first', async () => {
  const steering = new Steering(() => Promise.resolve({ ...TAKEN, done: true }));
  const answer = { number: 7, verb: 'priority', target: 'D3', value: 5, done: true, answer: '' };
  await steering.ask('priority', 'D3', 5);
  assert.deepEqual(steering.pending.map(each => each.value), [5]); // prettier-ignore
  steering.settle([answer], 'L');
  assert.deepEqual(steering.pending, []);
  await steering.ask('priority', 'D3', 5);
  assert.deepEqual(steering.pending, [], 'the news overtook the reply');
});

test('what a deleted ledger had taken is nothing of the one in its place; what was not taken can be sent there', async () => {
  let away = false;
  const steering = new Steering(() => (away ? Promise.reject(new ApiProblem(409, AWAY)) : Promise.resolve(TAKEN)));
  steering.settle([], 'L');
  await steering.ask('priority', 'D3', 5);
  away = true;
  await steering.ask('approve', 'H1').catch(() => undefined);
  steering.settle([], 'L');
  assert.deepEqual(steering.pending.map(each => each.state), ['taken', 'not taken']); // prettier-ignore
  steering.settle([], 'another');
  assert.deepEqual(steering.pending.map(each => each.state), ['not taken']); // prettier-ignore
});

test('one that is refused fails at once; one that finds no server is not taken, and can be tried again', async () => {
  let away: ApiProblem | null = new ApiProblem(409, AWAY);
  let sent = 0;
  const steering = new Steering(() => {
    sent++;
    return away ? Promise.reject(away) : Promise.resolve({ ...TAKEN, done: true });
  }, 0.6);
  const failed = await steering.ask('stop').catch((error: unknown) => error);
  assert(failed instanceof ApiProblem);
  assert.equal(sent, 1);
  away = new ApiProblem(0, AWAY);
  await steering.ask('pause').catch(() => undefined);
  assert.equal(sent > 2, true);
  assert.deepEqual(steering.pending.map(each => each.state), ['not taken', 'not taken']); // prettier-ignore
  away = null;
  for (const each of steering.pending) {
    steering.retry(each.id);
  }
  await until(() => steering.pending.length === 0, 'the second try');
});
