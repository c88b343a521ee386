import assert from 'node:assert/strict';
import { test } from 'node:test';

import { cut, duration, number, percent, signed } from '../src/parts/format';
import { along, scaleOf } from '../src/parts/scale';
import { spent } from '../src/views/budget';
import { lanes, runningOf } from '../src/views/agents/lanes';
import { MOST, reorder, type Ranked } from '../src/views/directions/order';
import { sidesOf, variationRun } from '../src/views/findings/variation';
import { entriesOf } from '../src/views/log/entries';
import type * as W from '../src/words';

// ---------------------------------------------------------------- the order of directions

const names = new Intl.Collator('en', { numeric: true });

function ranked(...priorities: number[]): Ranked[] {
  return priorities.map((priority, index) => ({ id: `D${index + 1}`, priority }));
}

/** The order after the changes, as the model sorts it. */
function after(cards: Ranked[], changes: Ranked[]): string[] {
  const changed = new Map(changes.map(each => [each.id, each.priority]));
  const all = cards.map(each => ({ id: each.id, priority: changed.get(each.id) ?? each.priority }));
  return all.sort((a, b) => b.priority - a.priority || names.compare(a.id, b.id)).map(each => each.id);
}

test('a card that is dropped between two gets a priority between theirs', () => {
  assert.deepEqual(reorder(ranked(2, 1, 0.5), 'D3', 1), [{ id: 'D3', priority: 1.5 }]);
  assert.deepEqual(reorder(ranked(1.5, 1, 0.5), 'D3', 1), [{ id: 'D3', priority: 1.3 }]);
});

test('above all, a little more than the first; below all, half of the last and never 0', () => {
  assert.deepEqual(reorder(ranked(2, 1), 'D2', 0), [{ id: 'D2', priority: 2.5 }]);
  assert.deepEqual(reorder(ranked(2, 1), 'D1', 1), [{ id: 'D1', priority: 0.5 }]);
  assert.deepEqual(reorder(ranked(MOST, 1), 'D2', 0), [{ id: 'D2', priority: MOST }]);
});

test('where it lies already, alone, unknown or among those that rest: nothing is asked', () => {
  assert.deepEqual(reorder(ranked(2, 1), 'D2', 1), []);
  assert.deepEqual(reorder(ranked(2), 'D1', 0), []);
  assert.deepEqual(reorder(ranked(2, 1), 'D9', 0), []);
  assert.deepEqual(reorder(ranked(2, 1), 'D1', -1), []);
  assert.deepEqual(reorder(ranked(2, 1), 'D1', 2), []);
  assert.deepEqual(reorder(ranked(1, 0, 0), 'D1', 1), []);
});

test('every card comes to stand where it was dropped, and no other pair changes places', () => {
  for (const priorities of [
    [3, 2, 1],
    [1, 1, 1, 1],
    [2, 1, 1, 1, 0.5],
    [100, 100, 100, 1],
    [1.001, 1, 1, 0.999],
    [5, 5, 1, 1, 1, 0.1]
  ]) {
    const cards = ranked(...priorities);
    for (const { id } of cards) {
      for (let to = 1; to < cards.length; to += 1) {
        const expected = cards.map(each => each.id).filter(each => each !== id);
        expected.splice(to, 0, id);
        const changes = reorder(cards, id, to);
        assert.deepEqual(after(cards, changes), expected, `${priorities.join()}: ${id} to ${to}`);
        assert(changes.every(each => each.priority > 0 && each.priority <= MOST));
      }
    }
  }
});

// ---------------------------------------------------------------- words for people

test('numbers read as in the report', () => {
  assert.deepEqual(
    [0.98611, 1234567, null, 0.00001234, 12, -0.5, 0].map(each => number(each)),
    ['0.9861', '1.235e+06', '–', '1.234e-05', '12', '−0.5', '0']
  );
  assert.deepEqual(
    [0.99996, 9999.6, NaN, Infinity].map(each => number(each)),
    ['1', '1e+04', '–', '∞']
  );
  assert.deepEqual([signed(0.35843), signed(-0.02), signed(0)], ['+0.358', '−0.02', '0']);
  assert.deepEqual([percent(0.256), percent(0.001), percent(0)], ['26 %', '< 1 %', '0 %']);
});

test('durations', () => {
  assert.deepEqual([7.2, 0.25, 75, 3700, 200000, -1, null].map(duration), [
    '7.2 s',
    '0.25 s',
    '1 min 15 s',
    '1 h 1 min',
    '2 d 7 h',
    '0 s',
    '–'
  ]);
});

test('strangers’ text is cut at whole characters and cannot turn its direction', () => {
  assert.equal(cut('abcdef', 4), 'abc…');
  assert.equal(cut('abcd', 4), 'abcd');
  assert.equal(cut('ab😀cd', 4), 'ab…');
  assert.equal(cut('a\u202eb\u2066c'), 'abc');
  assert.equal(cut('x'.repeat(1_000_000)).length, 300);
  assert.equal(cut('\u202e'.repeat(1_000)).length <= 300, true);
});

// ---------------------------------------------------------------- axes

test('one scale holds all that is known, and 0', () => {
  const [low, high] = scaleOf([
    { effect: 0.2, low: 0.1, high: null },
    { effect: -0.1, low: null, high: 0.3 }
  ]);
  assert(low < -0.1 && high > 0.3);
  assert.deepEqual(scaleOf([]), [-1, 1]);
  assert.deepEqual(scaleOf([{ effect: 0, low: 0, high: 0 }]), [-1, 1]);
  assert.deepEqual([along(5, [0, 10]), along(-5, [0, 10]), along(15, [0, 10]), along(1, [1, 1])], [0.5, 0, 1, 0.5]);
});

// ---------------------------------------------------------------- runs and agents

function table(...rows: [hypothesis: string, purpose: string, state: string, agent: string][]): W.Runs {
  return {
    number: rows.map((_, index) => index + 1),
    hypothesis: rows.map(row => row[0]),
    purpose: rows.map(row => row[1]),
    state: rows.map(row => row[2]),
    agent: rows.map(row => row[3]),
    seed: [],
    direction: [],
    value: [],
    seconds: [],
    clock: [],
    title: [],
    edits: []
  };
}

test('a run of the variation: the last that was screened, else a confirmation with its code', async () => {
  const runs = table(
    ['H1', 'screening', 'ok', ''],
    ['H1', 'confirmation', 'ok', ''],
    ['H1', 'confirmation', 'failure', ''],
    ['H2', 'confirmation', 'ok', ''],
    ['H2', 'confirmation', 'ok', '']
  );
  assert.deepEqual(sidesOf(runs, 'H1'), { sure: [1], either: [2] });
  const code = (): Promise<string> => Promise.resolve('better\n');
  const codeOf = (number: number): Promise<string> => Promise.resolve(number === 4 ? 'better' : 'reference');
  assert.equal(await variationRun(runs, 'H1', code, codeOf), 1);
  assert.equal(await variationRun(runs, 'H2', code, codeOf), 4);
  assert.equal(await variationRun(runs, 'H3', code, codeOf), null);
});

function agent(id: string, role: string, standing: string, promise: number, supported = 0): W.Agent {
  const counts = {
    running: 1,
    tasks: 0,
    seconds: 0,
    proposed: 0,
    refuted: 0,
    open: 0,
    failures: 0,
    calls: 0,
    tokens: 0
  };
  return { id, role, standing, promise, supported, mind: 'classical', why: '', parent: '', ...counts };
}

test('lanes: in the order of work, the most promising first, the dismissed apart', () => {
  const all = lanes(
    [
      agent('tuner-10', 'tuning', 'active', 0.3),
      agent('tuner-2', 'tuning', 'active', 0.3, 1),
      agent('tuner-1', 'tuning', 'dismissed', 0.9),
      agent('reader-1', 'literature', 'probation', 0.3)
    ],
    ['zeal', 'validation']
  );
  assert.deepEqual(
    all.map(each => each.role),
    ['literature', 'tuning', 'validation', 'zeal']
  );
  assert.deepEqual(
    all[1]?.working.map(each => each.id),
    ['tuner-2', 'tuner-10']
  );
  assert.deepEqual(
    all[1]?.dismissed.map(each => each.id),
    ['tuner-1']
  );
  assert.equal(all[1]?.supported, 1);
});

test('what an agent runs now, the newest first', () => {
  const runs = table(
    ['H1', 'screening', 'running', 'a'],
    ['H1', 'screening', 'ok', 'a'],
    ['H1', 'screening', 'running', 'a']
  );
  assert.deepEqual(runningOf(runs, 'a', 2), [2, 0]);
  assert.deepEqual(runningOf(runs, 'a', 1), [2]);
  assert.deepEqual(runningOf(runs, 'b', 1), []);
});

test('the log: notes and requests without an answer, the newest first', () => {
  const asked = (number: number, done: boolean | null): W.Answer => {
    return { number, verb: 'add', target: 'x', value: null, done, answer: '' };
  };
  const entries = entriesOf([{ number: 2, at: 0, level: 'error', text: 'no' }], [asked(1, false), asked(3, null)]);
  assert.deepEqual(
    entries.map(each => `${each.number} ${each.level}`),
    ['3 info', '2 error']
  );
});

test('what is spent is told by the part of the budget that is the nearest to its end', () => {
  const spend = { seconds: 30, experiments: 10, tokens: 900, dollars: 0.5 };
  assert.deepEqual(spent({ seconds: 60, experiments: 100 }, spend), { value: 30, max: 60 });
  assert.deepEqual(spent({ seconds: 60, tokens: 1000 }, spend), { value: 900, max: 1000 });
  assert.deepEqual(spent({ seconds: 60, tokens: 1000, dollars: 0.5 }, spend), { value: 0.5, max: 0.5 });
  assert.deepEqual(spent({ seconds: 60, dollars: 2 }, { ...spend, dollars: null }), { value: 30, max: 60 });
  assert.deepEqual(spent({}, spend), { value: 0, max: 0 });
});
