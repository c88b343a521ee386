import type * as W from '../../words';

/** A subswarm: the agents of a role. */
export interface Lane {
  role: string;
  /** Those that work, the most promising first. */
  working: W.Agent[];
  dismissed: W.Agent[];
  running: number;
  supported: number;
  refuted: number;
  open: number;
}

/** The order of work; roles of plug-ins come after them, by name. */
const ORDER = ['literature', 'brainstorming', 'implementation', 'tuning', 'validation'];

/** Agents by role. Roles without agents have a lane too, so that somebody can be hired. */
export function lanes(agents: readonly W.Agent[], roles: readonly string[]): Lane[] {
  const found = new Map<string, Lane>();
  for (const role of [...roles, ...agents.map(each => each.role)]) {
    if (!found.has(role)) {
      found.set(role, { role, working: [], dismissed: [], running: 0, supported: 0, refuted: 0, open: 0 });
    }
  }
  for (const agent of agents) {
    const lane = found.get(agent.role);
    if (lane) {
      (agent.standing === 'dismissed' ? lane.dismissed : lane.working).push(agent);
      lane.running += agent.running;
      lane.supported += agent.supported;
      lane.refuted += agent.refuted;
      lane.open += agent.open;
    }
  }
  for (const lane of found.values()) {
    lane.working.sort((a, b) => b.promise - a.promise || names.compare(a.id, b.id));
    lane.dismissed.sort((a, b) => names.compare(a.id, b.id));
  }
  return [...found.values()].sort((a, b) => rank(a.role) - rank(b.role) || names.compare(a.role, b.role));
}

const names = new Intl.Collator('en', { numeric: true });

function rank(role: string): number {
  const place = ORDER.indexOf(role);
  return place < 0 ? ORDER.length : place;
}

/** Rows of the runs that an agent has under way, the newest first, and at most so many as it is known to run. */
export function runningOf(runs: W.Runs, agent: string, count: number): number[] {
  const rows: number[] = [];
  for (let row = runs.number.length - 1; row >= 0 && rows.length < count; row -= 1) {
    if (runs.state[row] === 'running' && runs.agent[row] === agent) {
      rows.push(row);
    }
  }
  return rows;
}
