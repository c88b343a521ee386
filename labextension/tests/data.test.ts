import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Queue, sourceOf } from '../src/papers/queue';
import { beginning, byCiting, joined, passageOf, sectionsOf, touches } from '../src/papers/text';
import { Course, thinned } from '../src/runs/course';
import { EVERYTHING, type Filter, filterOf, gain, isEverything, select, type Sort, Texts } from '../src/runs/filter';
import { nearest, pointsOf, spanOf, wantedOf } from '../src/runs/points';
import { difference, Parameters, short } from '../src/runs/settings';
import { spentBy } from '../src/runs/spent';
import type * as W from '../src/words';

// ---------------------------------------------------------------- runs to try it on

type Row = { [Column in keyof W.Runs]: W.Runs[Column][number] };

function runsOf(rows: Partial<Row>[]): W.Runs {
  const runs: W.Runs = {
    number: [], seed: [], purpose: [], direction: [], agent: [], hypothesis: [], state: [], value: [], seconds: [],
    clock: [], title: [], edits: []
  }; // prettier-ignore
  rows.forEach(row => {
    append(runs, row);
  });
  return runs;
}

function append(runs: W.Runs, row: Partial<Row>): void {
  const number = runs.number.length + 1;
  const whole: Row = {
    number, seed: 0, purpose: 'screening', direction: 'D1', agent: 'A1', hypothesis: `H${number}`, state: 'ok',
    value: 0, seconds: 1, clock: number, title: '', edits: {}, ...row
  }; // prettier-ignore
  for (const column of Object.keys(runs) as (keyof W.Runs)[]) {
    (runs[column] as unknown[]).push(whole[column]);
  }
}

/** The same numbers whenever it is asked (Lehmer's generator). */
function lottery(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}

function many(count: number): W.Runs {
  const draw = lottery(7);
  return runsOf(
    Array.from({ length: count }, (_, place) => ({
      direction: `D${Math.floor(draw() * 40)}`,
      agent: `A${Math.floor(draw() * 1000)}`,
      hypothesis: `H${Math.floor(draw() * 3000)}`,
      state: draw() < 0.1 ? 'failure' : 'ok',
      value: draw() < 0.1 ? null : draw(),
      clock: place,
      title: `try number ${place} of many`,
      edits: { 'SVC.C': draw() * 100, scaler: draw() < 0.5 ? 'sklearn.preprocessing:RobustScaler' : null }
    }))
  );
}

const KNOBS: W.Knob[] = [
  { name: 'C', value: 1, low: 0.001, high: 1000, log: true, choices: [] },
  { name: 'kernel', value: 'rbf', low: null, high: null, log: false, choices: ['linear', 'rbf'] }
];
const SCALE = { baseline: 0.5, maximize: true };
const FIRST: Sort = { column: 'number', descending: false };

function rowsOf(runs: W.Runs, filter: Partial<Filter> = {}, sort: Sort = FIRST): number[] {
  return [...select(runs, new Texts(), KNOBS, { ...EVERYTHING, ...filter }, sort, SCALE)];
}

// ---------------------------------------------------------------- the course

test('the leader is the variation with the best mean, and may fall behind when it runs again', () => {
  const course = new Course();
  const runs = runsOf([
    { hypothesis: '', purpose: 'baseline', value: 0.5 },
    { hypothesis: 'H1', value: 0.9 },
    { hypothesis: 'H2', value: 0.8 },
    { hypothesis: 'H1', value: 0.1 }
  ]);
  assert(course.update(runs, true));
  assert.deepEqual(course.leader, [0.5, 0.9, 0.9, 0.8]);
  assert(!course.update(runs, true));
});

test('where less is better, the leader is the least', () => {
  const course = new Course();
  course.update(runsOf([{ value: 3 }, { value: 1 }, { value: 2 }]), false);
  assert.deepEqual(course.leader, [3, 1, 1]);
});

test('what is confirmed or failed is spend, and no point', () => {
  const course = new Course();
  course.update(
    runsOf([{ value: 1 }, { value: 9, purpose: 'confirmation' }, { state: 'timeout', value: null }, { value: 2 }]),
    true
  );
  assert.deepEqual(course.experiments, [1, 4]);
  assert.deepEqual(course.leader, [1, 2]);
});

test('the median is that of the last 25 values', () => {
  const draw = lottery(3);
  const values = Array.from({ length: 200 }, () => Math.round(draw() * 20));
  const course = new Course();
  course.update(runsOf(values.map(value => ({ value }))), true);
  values.forEach((_, place) => {
    const last = values.slice(Math.max(0, place - 24), place + 1).sort((a, b) => a - b);
    const half = last.length >> 1;
    const expected = last.length % 2 ? last[half] : ((last[half - 1] ?? 0) + (last[half] ?? 0)) / 2;
    assert.equal(course.median[place], expected);
  });
});

test('read bit by bit, in whatever order runs come back, the course is the same as read at once', () => {
  const draw = lottery(11);
  const whole = runsOf(
    Array.from({ length: 300 }, (_, place) => ({ value: draw(), hypothesis: `H${place % 40}`, clock: draw() * 100 }))
  );
  const atOnce = new Course();
  atOnce.update(whole, true);
  const runs = runsOf([]);
  const bits = new Course();
  for (let row = 0; row < 300; row++) {
    append(runs, { hypothesis: whole.hypothesis[row] ?? '', state: 'running', value: null });
    if (row % 7 === 6 || row === 299) {
      for (let back = 0; back <= row; back++) {
        if (runs.state[back] === 'running' && (row === 299 || back % 3 !== 0)) {
          runs.state[back] = 'ok';
          runs.value[back] = whole.value[back] ?? null;
          runs.clock[back] = whole.clock[back] ?? 0;
        }
      }
      bits.update(runs, true);
    }
  }
  assert.equal(bits.length, 300);
  assert.deepEqual(bits.leader, atOnce.leader);
  assert.deepEqual(bits.median, atOnce.median);
  assert.deepEqual(bits.experiments, atOnce.experiments);
});

test('other columns begin anew', () => {
  const course = new Course();
  course.update(runsOf([{ value: 1 }, { value: 2 }]), true);
  assert(course.update(runsOf([{ value: 5 }]), true));
  assert.deepEqual(course.leader, [5]);
});

test('one run more than 10,000 changes the last points alone', () => {
  const runs = many(10_000);
  const course = new Course();
  course.update(runs, true);
  const before = course.median.slice();
  append(runs, { value: 0.5, clock: runs.number.length });
  course.update(runs, true);
  assert.equal(course.median.length, before.length + 1);
  assert.deepEqual(course.median.slice(0, before.length), before);
});

test('a table of a course has its first and last row', () => {
  assert.deepEqual(thinned(3, 20), [0, 1, 2]);
  const rows = thinned(1000, 20);
  assert.equal(rows.length, 20);
  assert.equal(rows[0], 0);
  assert.equal(rows[19], 999);
});

// ---------------------------------------------------------------- the table

test('a filter lets through what it names', () => {
  const runs = runsOf([
    { direction: 'D1', state: 'ok', value: 1 },
    { direction: 'D10', state: 'failure', value: null, agent: 'A2' },
    { direction: 'D1', state: 'running', value: null, title: 'Robust scaler' }
  ]);
  assert.deepEqual(rowsOf(runs, { direction: 'D1' }), [0, 2]);
  assert.deepEqual(rowsOf(runs, { state: 'none' }), [1]);
  assert.deepEqual(rowsOf(runs, { agent: 'A2' }), [1]);
  assert.deepEqual(rowsOf(runs, { text: 'SCALER rob' }), [2]);
  assert.deepEqual(rowsOf(runs, { text: 'rob nothing' }), []);
  assert.deepEqual(rowsOf(runs, { value: { low: 0, high: null } }), [0]);
});

test('a parameter is what the run changed, else what stands in the cell', () => {
  const runs = runsOf([{ edits: { C: 10 } }, { edits: {} }, { edits: { C: null } }, { edits: { kernel: 'linear' } }]);
  const wanted = (low: number | null, high: number | null): number[] =>
    rowsOf(runs, { parameter: { name: 'C', range: { low, high }, categories: null } });
  assert.deepEqual(wanted(5, null), [0]);
  assert.deepEqual(wanted(null, 5), [1, 3]);
  const linear = { name: 'kernel', range: null, categories: ['linear'] };
  assert.deepEqual(rowsOf(runs, { parameter: linear }), [3]);
});

test('rows without the value come last either way, equal ones in their order', () => {
  const runs = runsOf([{ value: 1 }, { value: null }, { value: 3 }, { value: 1 }]);
  assert.deepEqual(rowsOf(runs, {}, { column: 'value', descending: false }), [0, 3, 2, 1]);
  assert.deepEqual(rowsOf(runs, {}, { column: 'value', descending: true }), [2, 0, 3, 1]);
});

test('D2 stands before D10', () => {
  const runs = runsOf([{ direction: 'D10' }, { direction: 'D2' }, { direction: '' }]);
  assert.deepEqual(rowsOf(runs, {}, { column: 'direction', descending: false }), [1, 0, 2]);
});

test('a gain is positive where better', () => {
  assert.equal(gain(0.75, SCALE), 0.25);
  assert.equal(gain(0.75, { baseline: 0.5, maximize: false }), -0.25);
  assert.equal(gain(null, SCALE), null);
  assert.equal(gain(1, { baseline: null, maximize: true }), null);
});

test('a link names a filter', () => {
  assert.equal(filterOf('direction:D3')?.direction, 'D3');
  assert.equal(filterOf('text:a:b')?.text, 'a:b');
  assert.equal(filterOf('number:17'), null);
  assert.equal(filterOf('__proto__:1'), null);
  assert(isEverything(EVERYTHING) && !isEverything({ ...EVERYTHING, text: 'x' }));
});

test('10,000 rows are the same ones by whatever column they are sorted, and ups and downs mirror each other', () => {
  const runs = many(10_000);
  const columns = [
    'number', 'state', 'value', 'gain', 'difference', 'direction', 'agent', 'purpose', 'seed', 'seconds'
  ] as const; // prettier-ignore
  const filter = {
    text: 'try',
    parameter: { name: 'SVC.C', range: { low: 1, high: 99 }, categories: null }
  };
  const all = rowsOf(runs, filter);
  assert(all.length > 9000 && all.length < 10_000);
  for (const column of columns) {
    const down = rowsOf(runs, filter, { column, descending: true });
    assert.deepEqual(
      [...down].sort((one, other) => one - other),
      all,
      column
    );
  }
  const values = rowsOf(runs, filter, { column: 'value', descending: true }).map(row => runs.value[row] ?? null);
  const known = values.filter(value => value !== null);
  assert.deepEqual(
    known,
    [...known].sort((one, other) => other - one)
  );
});

// ---------------------------------------------------------------- parameters and the plot

test('settings are told shortly', () => {
  assert.equal(short('sklearn.svm:SVC'), 'SVC');
  assert.equal(short('http://example.org'), 'http://example.org');
  assert.equal(short(0.1 + 0.2), '0.3');
  assert.equal(short(null), '∅');
  assert.equal(difference({ C: 0.5, step: null, on: true }), 'C = 0.5, − step, on = true');
  assert.equal(difference(undefined), '');
});

test('parameters are those that runs differ in, the most varied first', () => {
  const seen = new Parameters();
  const runs = runsOf([{ edits: { C: 10, kernel: 'linear' } }, { edits: { C: 2 } }, { edits: { C: -1 } }]);
  seen.update(runs);
  const [first, second] = seen.list(KNOBS);
  assert(first?.name === 'C' && first.numeric && !first.log, 'a negative value has no place on a logarithmic axis');
  assert(second?.name === 'kernel' && !second.numeric);
  append(runs, { edits: { new: 1 } });
  seen.update(runs);
  assert.equal(seen.list(KNOBS).length, 3);
  seen.update(runsOf([]));
  assert.equal(seen.list(KNOBS).length, 0);
});

test('points rise along the axis and keep their rows', () => {
  const seen = new Parameters();
  const runs = runsOf([
    { edits: { C: 10 }, value: 3 },
    { edits: { C: 0.1 }, value: 1 },
    { edits: {}, value: 2 },
    { edits: { C: 5 }, value: null },
    { edits: { C: null }, value: 4 }
  ]);
  seen.update(runs);
  const parameter = seen.list(KNOBS)[0];
  assert(parameter?.log);
  const points = pointsOf(runs, parameter);
  assert.deepEqual([...points.x], [0.1, 1, 10]);
  assert.deepEqual([...points.rows], [1, 2, 0]);
  assert.equal(points.left, 1);
  assert.equal(
    nearest(points, (x, y) => Math.abs(x - 9) + Math.abs(y - 3), 5),
    2
  );
  assert.equal(
    nearest(points, () => 10, 5),
    -1
  );
});

test('a frame over categories means those whose column it touches, and is drawn around them again', () => {
  const seen = new Parameters();
  const runs = runsOf([{ edits: { kernel: 'linear' } }, { edits: {} }, { edits: { kernel: 'poly' } }]);
  seen.update(runs);
  const parameter = seen.list(KNOBS)[0];
  assert(parameter);
  const points = pointsOf(runs, parameter);
  assert.deepEqual(points.categories, ['linear', 'rbf', 'poly']);
  const wanted = wantedOf(parameter, points, 0.6, 1.2);
  assert.deepEqual(wanted.categories, ['rbf']);
  assert.deepEqual(rowsOf(runs, { parameter: wanted }), [1]);
  const span = spanOf(wanted, points);
  assert.deepEqual(span, { low: 0.5, high: 1.5 });
  assert.deepEqual(wantedOf(parameter, points, span?.low ?? 0, span?.high ?? 0), wanted);
});

test('models are those that were asked', () => {
  const agent = (mind: string, calls: number, tokens: number): W.Agent =>
    ({ mind, calls, tokens, supported: 1 }) as W.Agent;
  const spent = spentBy([agent('classical', 0, 0), agent('m1', 1, 10), agent('m2', 1, 50), agent('m1', 2, 5)]);
  assert.deepEqual(spent, [
    { mind: 'm2', calls: 1, tokens: 50, supported: 1 },
    { mind: 'm1', calls: 3, tokens: 15, supported: 2 }
  ]);
});

// ---------------------------------------------------------------- papers

test('a passage is named by its paper and offsets', () => {
  assert.deepEqual(passageOf('ab12@5-9'), { paper: 'ab12', start: 5, end: 9 });
  assert.deepEqual(passageOf('ab12'), { paper: 'ab12', start: 0, end: 0 });
  assert.equal(passageOf(''), null);
});

test('windows join where they touch', () => {
  const middle = { start: 10, end: 15, text: 'fghij' };
  assert.deepEqual(joined(middle, { start: 15, end: 17, text: 'kl' }), { start: 10, end: 17, text: 'fghijkl' });
  assert.deepEqual(joined(middle, { start: 8, end: 10, text: 'de' }), { start: 8, end: 15, text: 'defghij' });
  assert(!touches(middle, { start: 30, end: 31, text: 'z' }));
  assert.equal(beginning({ start: 5000, end: 5010 }), 3000);
  assert.equal(beginning({ start: 5000, end: 5000 }), 5000);
});

test('sections are the text again, with the quotation marked, characters beyond the first plane and all', () => {
  const text = 'ab𝒳cd ef𝒴gh ij';
  const reading = { start: 100, end: 100 + Array.from(text).length, text };
  const parts = [
    { name: 'Page 1', start: 90, end: 106 },
    { name: 'Page 2', start: 106, end: 130 }
  ];
  const uses = [{ swarm: 's', kind: 'direction' as const, id: 'D1', what: '', start: 101, end: 104 }];
  const sections = sectionsOf(reading, parts, uses, { start: 104, end: 109 });
  assert.deepEqual(
    sections.map(section => [section.name, section.continued]),
    [
      ['Page 1', true],
      ['Page 2', false]
    ]
  );
  const pieces = sections.flatMap(section => section.pieces);
  assert.equal(pieces.map(piece => piece.text).join(''), text);
  const of = (kind: string): string =>
    pieces
      .filter(piece => piece.kind === kind)
      .map(piece => piece.text)
      .join('');
  assert.equal(of('mark'), 'd ef𝒴');
  assert.equal(of('cited'), 'b𝒳c');
});

test('a text without parts, and gaps between parts, lose nothing', () => {
  const reading = { start: 0, end: 10, text: '0123456789' };
  const whole = (parts: W.Part[]): string =>
    sectionsOf(reading, parts, [], null)
      .flatMap(section => section.pieces)
      .map(piece => piece.text)
      .join('');
  assert.equal(whole([]), reading.text);
  assert.equal(
    whole([
      { name: 'a', start: 2, end: 4 },
      { name: 'b', start: 6, end: 8 }
    ]),
    reading.text
  );
});

test('what cites a paper stands there once, with each passage once', () => {
  const use = (id: string, start: number): W.Use => ({
    swarm: 's',
    kind: 'direction',
    id,
    what: id,
    start,
    end: start + 1
  });
  const citing = byCiting([use('D2', 1), use('D1', 1), use('D2', 1), use('D2', 5)]);
  assert.deepEqual(
    citing.map(each => [each.id, each.spans.map(span => span.start)]),
    [
      ['D2', [1, 5]],
      ['D1', [1]]
    ]
  );
});

test('files of the browser are named from the workspace’s folder', () => {
  assert.equal(sourceOf('nb/papers/a.pdf', 'nb'), 'papers/a.pdf');
  assert.equal(sourceOf('RTC:nb/a.pdf', 'nb'), 'a.pdf');
  assert.equal(sourceOf('other/a.pdf', 'nb'), null);
  assert.equal(sourceOf('nbx/a.pdf', 'nb'), null);
  assert.equal(sourceOf('a.pdf', ''), 'a.pdf');
  assert.equal(sourceOf('nb/papers/Deep learning: a review.pdf', 'nb'), 'papers/Deep learning: a review.pdf');
  assert.equal(sourceOf('Attention: all of it.pdf', ''), 'Attention: all of it.pdf');
});

const PROBLEM: W.Problem = { message: 'no', where: '', cure: '', reason: '' };
const ADDED: W.Additions = { added: [{ title: 'T', paper: 'p', source: 's', passages: 3, new: true }], problems: [] };

test('papers are added two at a time, and one that fails does not end the others', async () => {
  let under = 0;
  let most = 0;
  let settled = 0;
  const queue = new Queue(
    () => PROBLEM,
    () => settled++
  );
  const work = (fails: boolean) => async (): Promise<W.Additions> => {
    most = Math.max(most, ++under);
    await new Promise(resolve => setTimeout(resolve, 2));
    under--;
    if (fails) {
      throw new Error('refused');
    }
    return ADDED;
  };
  [false, true, false, false].forEach((fails, place) => {
    queue.push(`p${place}`, work(fails));
  });
  while (settled < 4) {
    await new Promise(resolve => setTimeout(resolve, 1));
  }
  assert.equal(most, 2);
  assert.deepEqual(
    queue.items.map(item => item.state),
    ['added', 'refused', 'added', 'added']
  );
  assert.deepEqual(queue.items[1]?.problems, [PROBLEM]);
  queue.clear();
  assert.equal(queue.items.length, 0);
});

test('a file that is sent tells its share, then that it is read', async () => {
  const seen: string[] = [];
  const queue = new Queue(
    () => PROBLEM,
    () => undefined
  );
  queue.subscribe(() => {
    seen.push(`${queue.items[0]?.state ?? ''} ${queue.items[0]?.share ?? ''}`);
  });
  await new Promise<void>(resolve => {
    queue.subscribe(() => {
      if (queue.items[0]?.state === 'known') resolve();
    });
    queue.push(
      'f',
      sent => {
        sent(0.5);
        sent(1);
        return Promise.resolve({ added: [{ ...ADDED.added[0]!, new: false }], problems: [] });
      },
      true
    );
  });
  assert.deepEqual(seen, ['waiting 0', 'sending 0', 'sending 0.5', 'reading 1', 'known 1']);
});
