import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { IStateDB } from '@jupyterlab/statedb';

import type { Api } from '../src/api';
import { failed } from '../src/parts/useLoad';
import { ApiProblem } from '../src/problem';
import { Session } from '../src/session';
import { TIMES } from '../src/stream';
import type * as W from '../src/words';

// ---------------------------------------------------------------- a page and a server to try it on

Object.assign(globalThis, { document: Object.assign(new EventTarget(), { hidden: false }) });
Object.assign(TIMES, { wait: 0.2, pause: 0.001, slow: 0.05, first: 0.02, longest: 0.05 });

const ABSENT = new ApiProblem(400, {
  message: 'there is no such folder',
  where: 'b',
  cure: 'name another one',
  reason: 'UsageError'
});

function brief(name: string, begun: number): W.Brief {
  return {
    name, begun, phase: 'running', alive: true, doing: 'running', why: '', question: '', metric: 'f1', maximize: true,
    updated: begun, budget: { seconds: 60 }, supported: 0, refuted: 0, open: 0, seconds: 0, experiments: 0, tokens: 0,
    dollars: 0, cursor: 1
  }; // prettier-ignore
}

/** A server, as far as the session asks it: folders with their swarms, told after `slow` ms; its clock is `ahead` s. */
class Server {
  readonly folders: Partial<Record<string, W.Brief[]>> = {};
  ahead = 0;
  slow = 0;

  readonly api = {
    about: () => new Promise(() => undefined),
    swarms: async (folder: string): Promise<W.Briefs> => {
      const swarms = this.folders[folder];
      if (this.slow > 0) {
        await rest(this.slow);
      }
      if (!swarms) {
        throw ABSENT;
      }
      return { ledger: 'L', cursor: 1, at: Date.now() / 1000 + this.ahead, swarms };
    },
    swarm: () => new Promise(() => undefined)
  } as unknown as Api;
}

/** The memory of a page, which answers when it is told to. */
function memory(): { state: IStateDB; answer: (kept: object) => void } {
  let answer: (kept: object) => void = () => undefined;
  const kept = new Promise<object>(resolve => (answer = resolve));
  const state = { fetch: () => kept, save: () => Promise.resolve() } as unknown as IStateDB;
  return { state, answer };
}

function rest(milliseconds: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, milliseconds));
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let tries = 0; !condition(); tries++) {
    assert(tries < 400, `${what} did not come`);
    await rest(5);
  }
}

/** A session that asks only when it is woken, and what it is told then. */
async function told(session: Session): Promise<void> {
  const before = session.version;
  session.wake();
  await until(() => session.version > before, 'an answer');
}

function asking(server: Server): Session {
  const session = new Session(server.api, null);
  session.setRefreshing(false);
  return session;
}

// ---------------------------------------------------------------- what was shown last time

test('what was shown last time is shown, and its folder’s list asked for anew', async () => {
  const server = new Server();
  Object.assign(server.folders, { '': [brief('mine', 1)], a: [brief('wine', 2)] });
  const { state, answer } = memory();
  const session = new Session(server.api, state);
  const restored = session.restore();
  const release = session.hold();
  await until(() => session.briefs !== null, 'the list of the root');
  server.slow = 50;
  answer({ folder: 'a', picked: true, swarm: 'wine' });
  await restored;
  assert.equal(session.briefs, null, 'the swarms of one folder are not those of another');
  assert.deepEqual([session.folder, session.picked, session.shown?.model.folder], ['a', true, 'a']);
  await until(() => session.briefs?.swarms[0]?.name === 'wine', 'the list of the folder');
  release();
  session.setRefreshing(false);
});

test('what was chosen while the page’s memory was waited for stays', async () => {
  const acts: [(session: Session) => void, string, string | undefined][] = [
    [session => { session.pick('b'); }, 'b', undefined],
    [session => { session.show('mine'); }, '', 'mine'],
    [session => { session.visit('other', 'b'); }, 'b', 'other']
  ]; // prettier-ignore
  for (const [act, folder, name] of acts) {
    const { state, answer } = memory();
    const session = new Session(new Server().api, state);
    session.setRefreshing(false);
    const restored = session.restore();
    act(session);
    const { shown } = session;
    answer({ folder: 'a', picked: false, swarm: 'wine' });
    await restored;
    assert.deepEqual([session.folder, session.shown?.model.name], [folder, name]);
    assert.equal(session.shown, shown, 'the same stream');
  }
});

// ---------------------------------------------------------------- a swarm that was started

test('a swarm that was started is shown, and not its older namesake, whatever the browser’s clock says', async () => {
  for (const ahead of [0, 3600, -3600]) {
    const server = new Server();
    server.ahead = ahead;
    const session = asking(server);
    const started = Date.now() / 1000;
    server.folders[''] = [brief('wine', started + ahead - 60)];
    session.expect('wine', '', started, true);
    await told(session);
    assert.deepEqual([session.shown, session.expected.name], [null, 'wine'], `${ahead} s ahead`);
    server.folders[''] = [brief('wine-2', started + ahead + 1), ...server.folders['']];
    await told(session);
    assert.deepEqual([session.shown?.model.name, session.expected.name], ['wine-2', '']);
  }
});

test('in the end its older namesake is taken for it: a cell that has not changed goes on with that', async ({
  mock
}) => {
  const server = new Server();
  const session = asking(server);
  server.folders[''] = [brief('wine', 1)];
  await told(session);
  mock.timers.enable({ apis: ['setTimeout'] });
  for (const [ran, seconds] of [
    [false, 15],
    [true, 3]
  ] as const) {
    session.expect('wine', '', Date.now() / 1000, ran);
    mock.timers.tick((seconds - 1) * 1000);
    assert.equal(session.shown, null);
    mock.timers.tick(1_000);
    assert.deepEqual([session.shown?.model.name, session.expected.name], ['wine', '']);
  }
});

test('who has gone to another swarm meanwhile stays there; what never comes is expected no more', async () => {
  const server = new Server();
  const session = asking(server);
  server.folders[''] = [brief('vines', 1)];
  session.expect('wine', '', Date.now() / 1000, true);
  session.show('vines');
  server.folders[''] = [brief('wine', Date.now() / 1000 + 1), brief('vines', 1)];
  await told(session);
  assert.equal(session.shown?.model.name, 'vines');
  session.expect('other', '', Date.now() / 1000, true);
  session.expected.since -= 21;
  await told(session);
  assert.deepEqual([session.shown, session.expected.name], [null, '']);
});

// ---------------------------------------------------------------- folders

test('a swarm of another folder is shown with its folder', () => {
  const session = asking(new Server());
  session.visit('wine', 'a');
  assert.deepEqual([session.folder, session.picked], ['a', true]);
  assert.deepEqual([session.shown?.model.folder, session.shown?.model.name], ['a', 'wine']);
  session.visit('mine', 'a');
  assert.equal(session.shown?.model.name, 'mine');
});

test('a folder that is gone has no swarms, says so, and is found again', async () => {
  const server = new Server();
  server.folders.b = [brief('wine', 1)];
  const session = new Session(server.api, null);
  session.pick('b');
  await until(() => session.briefs !== null, 'the list');
  delete server.folders.b;
  await until(() => session.connection.state === 'nowhere', 'the word of it');
  assert.equal(session.briefs, null);
  assert.equal(session.connection.problem?.where, 'b');
  server.folders.b = [brief('wine', 1)];
  await until(() => session.briefs !== null, 'the list once more');
  assert.equal(session.connection.state, 'live');
  session.setRefreshing(false);
});

// ---------------------------------------------------------------- what is asked for once

test('a question that fails keeps what is known of it, and nothing of another', () => {
  const before = { key: 'dropout', turn: 0, value: ['a hit'], problem: null };
  const again = failed(before, 'dropout', 1, ABSENT);
  assert.deepEqual(again, { key: 'dropout', turn: 1, value: ['a hit'], problem: ABSENT.problem });
  assert.equal(failed(before, 'weight decay', 0, ABSENT).value, null);
  assert.equal(failed<string>(null, 'dropout', 0, ABSENT).value, null);
});
