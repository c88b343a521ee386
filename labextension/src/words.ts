// Written by `python -m jupyter_swarm.jupyter.server.typescript`: change the Python classes, not this file.

/** What an administrator allows; None (or nothing named) is no limit. */
export interface Limits {
  read_only: boolean;
  models: string[];
  agents: number | null;
  workers: number | null;
  seconds: number | null;
  experiments: number | null;
  dollars: number | null;
  tokens: number | null;
  network: boolean;
  unsafe: boolean;
  gpus: boolean;
  upload_bytes: number;
}

/** This server. */
export interface About {
  version: string;
  at: number;
  limits: Limits;
  folder: string;
  fixed: boolean;
  writes: boolean;
  executes: boolean;
}

/** A folder with a workspace, relative to the server's root. */
export interface Place {
  folder: string;
  swarms: number;
  updated: number;
}

/** Workspaces below the root, the last used first. */
export interface Places {
  places: Place[];
  whole: boolean;
}

/** The body of every answer that is an error: what, where, the cure. */
export interface Problem {
  message: string;
  where: string;
  cure: string;
  reason: string;
}

/** The baseline over its seeds. */
export interface Measured {
  mean: number;
  sd: number;
  n: number;
}

/** The best cell, measured again on untouched seeds. */
export interface Leader {
  mean: number;
  low: number;
  high: number;
  runs: number;
  hypothesis: string;
  code: string;
}

/** What has been taken of the budget. */
export interface Spend {
  seconds: number;
  experiments: number;
  screening: number;
  confirmation: number;
  calls: number;
  tokens: number;
  dollars: number | null;
}

/** What the list and the panel say of a swarm alike. */
export interface Head {
  name: string;
  phase: 'done' | 'failed' | 'paused' | 'requested' | 'running' | 'stopped' | 'unknown';
  alive: boolean;
  doing: string;
  why: string;
  question: string;
  metric: string;
  maximize: boolean;
  begun: number;
  updated: number;
  budget: Budget;
  supported: number;
  refuted: number;
  open: number;
}

/** What a swarm may spend; at least one of the first two is given. */
export interface Budget {
  seconds?: number | null;
  experiments?: number | null;
  dollars?: number | null;
  tokens?: number | null;
}

/** A swarm in the list. */
export interface Brief {
  name: string;
  phase: 'done' | 'failed' | 'paused' | 'requested' | 'running' | 'stopped' | 'unknown';
  alive: boolean;
  doing: string;
  why: string;
  question: string;
  metric: string;
  maximize: boolean;
  begun: number;
  updated: number;
  budget: Budget;
  supported: number;
  refuted: number;
  open: number;
  seconds: number;
  experiments: number;
  tokens: number;
  dollars: number | null;
  cursor: number;
}

/** All swarms of a workspace, the newest first. */
export interface Briefs {
  ledger: string;
  cursor: number;
  at: number;
  swarms: Brief[];
}

/** What may vary, as an axis. */
export interface Knob {
  name: string;
  value: boolean | number | string | null;
  low: number | null;
  high: number | null;
  log: boolean;
  choices: (boolean | number | string | null)[];
}

/** A swarm, its head. */
export interface Card {
  name: string;
  phase: 'done' | 'failed' | 'paused' | 'requested' | 'running' | 'stopped' | 'unknown';
  alive: boolean;
  doing: string;
  why: string;
  question: string;
  metric: string;
  maximize: boolean;
  begun: number;
  updated: number;
  budget: Budget;
  supported: number;
  refuted: number;
  open: number;
  asked: string;
  spend: Spend;
  running: number;
  baseline: Measured | null;
  best: Leader | null;
  testing: number;
  answer: string;
  alarm: string;
  failures: { [key: string]: number };
  models: string[];
  roles: { [key: string]: number };
}

/** A line of inquiry. */
export interface Direction {
  id: string;
  title: string;
  agent: string;
  why: string;
  closed: string;
  priority: number;
  promise: number;
  low: number;
  high: number;
  share: number;
  trials: number;
  supported: number;
  failures: number;
  hypotheses: number;
  targets: string[];
  citations: Citation[];
  sentences: Sentence[];
  contradictions: Sentence[];
}

/** A quotation and the exact place it stands at: `text[start:end] == quote` in the paper's text. */
export interface Citation {
  paper: string;
  title: string;
  kind: 'documentation' | 'paper';
  passage: string;
  place: string;
  start: number;
  end: number;
  quote: string;
}

/** A statement about the literature, and the quotations that it rests on, each checked by program. */
export interface Sentence {
  text: string;
  citations: Citation[];
}

/** A hypothesis with a plan: its verdict, or "testing" before it. */
export interface Finding {
  id: string;
  statement: string;
  direction: string;
  agent: string;
  verdict: 'open' | 'refuted' | 'supported' | 'testing';
  mark: string;
  audited: boolean;
  effect: number | null;
  low: number | null;
  high: number | null;
  pairs: number;
  planned: number;
  e_value: number | null;
  scope: string;
  cost_ratio: number;
  new_data: string;
  note: string;
  citations: number;
  order: number;
}

/** An agent with its record. */
export interface Agent {
  id: string;
  role: string;
  mind: string;
  standing: string;
  why: string;
  parent: string;
  running: number;
  tasks: number;
  seconds: number;
  proposed: number;
  supported: number;
  refuted: number;
  open: number;
  failures: number;
  promise: number;
  calls: number;
  tokens: number;
}

/** Runs as columns of one length. */
export interface Runs {
  number: number[];
  seed: number[];
  purpose: string[];
  direction: string[];
  agent: string[];
  hypothesis: string[];
  state: string[];
  value: (number | null)[];
  seconds: number[];
  clock: number[];
  title: string[];
  edits: ({ [key: string]: boolean | number | string | null })[];
}

/** A line of the log. */
export interface Line {
  number: number;
  at: number;
  level: string;
  text: string;
}

/** A request of a person and what the runner says to it; `done` is None until it does. */
export interface Answer {
  number: number;
  verb: string;
  target: string;
  value: boolean | number | string | null;
  done: boolean | null;
  answer: string;
}

/** What is new of a swarm since a cursor; since 0, everything. */
export interface Changes {
  ledger: string;
  cursor: number;
  at: number;
  whole: boolean;
  card: Card;
  knobs: Knob[];
  directions: Direction[];
  findings: Finding[];
  agents: Agent[];
  runs: Runs;
  log: Line[];
  answers: Answer[];
}

/** A hypothesis with its code and the evidence. */
export interface Hypothesis {
  id: string;
  statement: string;
  why: string;
  refuted_if: string;
  direction: string;
  agent: string;
  parent: string;
  judged: string;
  plan: string;
  code: string;
  reference: string;
  diff: string;
  audited: boolean;
  mark: string;
  screening: number[];
  confirmation: number[];
  gains: number[];
  citations: Citation[];
}

/** A run with its code and what came of it. */
export interface Run {
  number: number;
  title: string;
  code: string;
  seed: number;
  purpose: string;
  hypothesis: string;
  direction: string;
  agent: string;
  state: string;
  value: number | null;
  values: { [key: string]: number };
  seconds: number;
  peak: number;
  message: string;
  traceback: string;
  notebook: boolean;
  citations: Citation[];
}

/** A record of the ledger, as it is kept. */
export interface Event {
  number: number;
  at: number;
  active_seconds: number;
  event: LedgerEvent;
}

/** Records after a cursor. */
export interface Events {
  ledger: string;
  cursor: number;
  events: Event[];
}

/** A request. `id` is chosen by who asks: the same one again is the same request, and is not appended twice. */
export interface Ask {
  verb: 'add' | 'approve' | 'budget' | 'close' | 'dismiss' | 'hire' | 'pause' | 'priority' | 'replicate' | 'resize' | 'resume' | 'stop' | 'veto';
  target?: string;
  value?: boolean | number | string | null;
  id?: string;
  wait?: number;
}

/** A request that stands in the ledger. */
export interface Taken {
  number: number;
  again: boolean;
  done: boolean | null;
  answer: string;
}

/** A file that was written, relative to the server's root. */
export interface Written {
  path: string;
}

/** A paper of the library. */
export interface Paper {
  paper: string;
  title: string;
  source: string;
  form: string;
  version: string;
  passages: number;
  cited: number;
}

/** The library. */
export interface Papers {
  papers: Paper[];
  meaning: boolean;
  note: string;
}

/** A passage that was found. */
export interface Hit {
  paper: string;
  title: string;
  place: string;
  start: number;
  end: number;
  text: string;
}

/** Passages, best first. */
export interface Hits {
  query: string;
  hits: Hit[];
}

/** Where a quotation is used. */
export interface Use {
  swarm: string;
  kind: 'direction' | 'hypothesis';
  id: string;
  what: string;
  start: number;
  end: number;
}

/** A page or section of a paper's text, by offsets. */
export interface Part {
  name: string;
  start: number;
  end: number;
}

/** A paper to read: a window of its text, its pages or sections, and where it was cited. */
export interface Text {
  paper: string;
  title: string;
  source: string;
  form: string;
  length: number;
  start: number;
  end: number;
  text: string;
  parts: Part[];
  uses: Use[];
}

/** Papers to add: files relative to the workspace's folder, patterns, or `module:NAME`. */
export interface Sources {
  sources: string[];
}

/** What came of adding one. */
export interface Added {
  title: string;
  paper: string;
  source: string;
  passages: number;
  new: boolean;
}

/** What came of adding several: those that could be, and what is wrong with the others. */
export interface Additions {
  added: Added[];
  problems: Problem[];
}

// ---------------------------------------------------------------- the ledger

/** A new swarm: everything the runner needs, so that it can start (and resume) from the ledger alone. */
export interface LedgerSwarmRequested {
  kind: 'swarm-requested';
  objective: LedgerObjective;
  budget: LedgerBudget;
  agents: number;
  analysis: LedgerAnalysis;
  context: LedgerContext;
  cell_hash: string;
  options?: { [key: string]: string | number | boolean };
  holdout?: LedgerHoldout | null;
}

/** What is measured and which way is better. */
export interface LedgerObjective {
  metric: string;
  maximize?: boolean;
}

/** What a swarm may spend; at least one of the first two is given. */
export interface LedgerBudget {
  seconds?: number | null;
  experiments?: number | null;
  dollars?: number | null;
  tokens?: number | null;
}

/** What was found in a cell, once, in the kernel. The runner varies the cell with this alone. */
export interface LedgerAnalysis {
  code: string;
  question?: string;
  metric?: string;
  knobs?: LedgerKnob[];
  swaps?: LedgerSwap[];
  inserts?: LedgerInsert[];
  blocks?: LedgerBlock[];
  locked?: LedgerLocked[];
  catalogue?: { [key: string]: LedgerRecipe };
  scope?: 'exact' | 'seeds' | 'splits';
  test_ratio?: number | null;
  fixed?: string[];
  vary?: string[];
  wider?: string[];
  record?: string[];
  keep?: string[];
  own?: string[];
  names?: string[];
  imported?: { [key: string]: string };
  warnings?: string[];
  leaks?: LedgerLeak[];
}

/** A literal of the cell that may be varied. `name` is unique in its cell (`SVC.C`, `epochs`). */
export interface LedgerKnob {
  name: string;
  value: boolean | number | string | null;
  low?: number | null;
  high?: number | null;
  log?: boolean;
  integer?: boolean;
  choices?: (boolean | number | string | null)[];
  line?: number;
  origin?: string;
}

/** A callable of the cell with siblings of the same shape; all as `module:qualname`. */
export interface LedgerSwap {
  name: string;
  current: string;
  candidates: string[];
  line?: number;
}

/** A place in a variadic call (`make_pipeline[0]`) where a sibling may be inserted. */
export interface LedgerInsert {
  name: string;
  candidates: string[];
  line?: number;
}

/** Something that can be left out: a step of a pipeline, a statement. */
export interface LedgerBlock {
  name: string;
  text: string;
  line?: number;
}

/** An expression or statement that no agent may touch, and why. */
export interface LedgerLocked {
  text: string;
  why: string;
  line?: number;
}

/** A callable that variations may use, inspected once in the kernel so that the runner need not import it. */
export interface LedgerRecipe {
  path: string;
  summary?: string;
  parameters?: LedgerParameter[];
  shape?: string;
}

/** A parameter of a callable in the catalogue, as a knob would have it (default and range). */
export interface LedgerParameter {
  name: string;
  knob?: LedgerKnob | null;
}

/** How the rows that the metric is measured on, or their targets, reach what is fitted; `what` and `cure` are sentences without their full stop. */
export interface LedgerLeak {
  kind: 'duplicates' | 'fitted' | 'groups' | 'order' | 'target' | 'tuned';
  line: number;
  what: string;
  cure: string;
}

/** What a cell needs besides itself: imports as source, the rest in one content-addressed pickle. */
export interface LedgerContext {
  imports?: string[];
  captures?: LedgerCapture[];
  pickle?: string;
  python?: string;
  python_version?: string;
  versions?: { [key: string]: string };
  folder?: string;
  modules?: string;
  setup?: string[];
}

/** A name that the cell takes from the notebook. */
export interface LedgerCapture {
  name: string;
  kind: 'data' | 'import' | 'source';
  describes: string;
  bytes?: number;
}

/** Data that no run of a swarm may see, and how its cell is measured on them: once, for what is supported. */
export interface LedgerHoldout {
  expression: string;
  analysis: LedgerAnalysis;
  context: LedgerContext;
  context_hash: string;
}

/** Stop starting work; what runs may finish. */
export interface LedgerPauseRequested {
  kind: 'pause-requested';
  id?: string;
}

/** Go on. */
export interface LedgerResumeRequested {
  kind: 'resume-requested';
  id?: string;
}

/** End the swarm now; findings so far stay. */
export interface LedgerStopRequested {
  kind: 'stop-requested';
  id?: string;
}

/** A person's word to a swarm; the runner answers each with a SteeringAnswered. */
export interface LedgerSteeringRequested {
  kind: 'steering-requested';
  verb: 'add' | 'approve' | 'budget' | 'close' | 'dismiss' | 'hire' | 'priority' | 'replicate' | 'resize' | 'veto';
  target?: string;
  value?: number | string | null;
  id?: string;
}

/** A paper of the workspace's library; its text lies in `.swarm/library/<paper>.json`. Swarm of the record: "". */
export interface LedgerPaperAdded {
  kind: 'paper-added';
  paper: string;
  title: string;
  source: string;
  form: 'documentation' | 'paper';
  version?: string;
  passages?: number;
}

/** The vector index holds all passages of the papers named so far (librarian). Swarm of the record: "". */
export interface LedgerIndexBuilt {
  kind: 'index-built';
  model: string;
  passages: number;
  through: number;
}

/** A line for the log that people read. Swarm "" for the workspace. */
export interface LedgerNoted {
  kind: 'noted';
  text: string;
  level?: 'error' | 'info' | 'warning';
}

/** A runner took the lease and goes on from the ledger. */
export interface LedgerRunnerStarted {
  kind: 'runner-started';
  pid: number;
  host: string;
  epoch: number;
  versions?: { [key: string]: string };
}

/** A runner left without the swarm being over (paused and idle, told to quit). */
export interface LedgerRunnerEnded {
  kind: 'runner-ended';
  why: string;
}

/** The swarm rests. */
export interface LedgerSwarmPaused {
  kind: 'swarm-paused';
}

/** The swarm goes on. */
export interface LedgerSwarmResumed {
  kind: 'swarm-resumed';
}

/** The swarm is over. */
export interface LedgerSwarmEnded {
  kind: 'swarm-ended';
  state: 'done' | 'failed' | 'stopped';
  why: string;
}

/** The answer to the request with this ledger number. */
export interface LedgerSteeringAnswered {
  kind: 'steering-answered';
  request: number;
  done: boolean;
  answer: string;
}

/** An agent begins on probation. */
export interface LedgerAgentHired {
  kind: 'agent-hired';
  agent: string;
  role: string;
  mind: string;
  policy?: LedgerPolicy;
  parent?: string;
}

/** How an agent works: agents of one role differ in it, so that a record can mean something. */
export interface LedgerPolicy {
  sampler?: string;
  boldness?: number;
  depth?: number;
  weights?: { [key: string]: number };
}

/** The roster's decision about an agent, with its reason. */
export interface LedgerStandingChanged {
  kind: 'standing-changed';
  agent: string;
  standing: 'active' | 'dismissed' | 'plan' | 'probation';
  why: string;
}

/** A line of inquiry, named in words; `targets` are the knobs, swaps, inserts and blocks that it covers. */
export interface LedgerDirectionOpened {
  kind: 'direction-opened';
  direction: string;
  title: string;
  agent: string;
  targets?: string[];
  why?: string;
  citations?: LedgerCitation[];
  base?: LedgerVariation | null;
}

/** A quotation and the exact place it stands at: `text[start:end] == quote` in the paper's text. */
export interface LedgerCitation {
  paper: string;
  title: string;
  kind: 'documentation' | 'paper';
  passage: string;
  place: string;
  start: number;
  end: number;
  quote: string;
}

/** A cell after its edits, in order, from the baseline. No edits: the baseline itself. */
export interface LedgerVariation {
  code: string;
  edits?: LedgerEdit[];
  free?: boolean;
}

/** One declared change. `target` names a knob, swap, insert or block; `value` is a literal or `module:qualname`. */
export interface LedgerEdit {
  kind: 'drop' | 'insert' | 'set' | 'swap';
  target: string;
  value?: boolean | number | string | null;
}

/** The person's priority of a direction (1 is neutral, 0 rests it). */
export interface LedgerDirectionWeighted {
  kind: 'direction-weighted';
  direction: string;
  priority: number;
}

/** No more work goes there. */
export interface LedgerDirectionClosed {
  kind: 'direction-closed';
  direction: string;
  why: string;
}

/** Literature found passages for a direction; `values` are variations that they name, with a weight in their favour. */
export interface LedgerEvidenceFound {
  kind: 'evidence-found';
  agent: string;
  direction: string;
  query: string;
  citations?: LedgerCitation[];
  favours?: { [key: string]: number };
  sentences?: LedgerSentence[];
  contradictions?: LedgerSentence[];
}

/** A statement about the literature, and the quotations that it rests on, each checked by program. */
export interface LedgerSentence {
  text: string;
  citations: LedgerCitation[];
}

/** A person raised or cut the budget. */
export interface LedgerBudgetChanged {
  kind: 'budget-changed';
  budget: LedgerBudget;
}

/** An idea with its code, before anything of it runs. */
export interface LedgerHypothesisProposed {
  kind: 'hypothesis-proposed';
  hypothesis: LedgerHypothesis;
}

/** A statement that can be tested: the variation raises the metric over its reference. */
export interface LedgerHypothesis {
  id: string;
  statement: string;
  direction: string;
  agent: string;
  variation: LedgerVariation;
  reference: LedgerVariation;
  citations?: LedgerCitation[];
  why?: string;
  refuted_if?: string;
  parent?: string;
  claim?: boolean;
  predicted?: number;
  equivalent?: number;
}

/** A person's approval or veto. */
export interface LedgerHypothesisMarked {
  kind: 'hypothesis-marked';
  hypothesis: string;
  mark: 'approved' | 'vetoed';
}

/** An experiment is about to run: its budget is taken now. Numbered from 1 within the swarm. */
export interface LedgerExperimentStarted {
  kind: 'experiment-started';
  number: number;
  experiment: LedgerExperiment;
}

/** A cell, a seed and what it is for. Named by the hash of all that its value depends on. */
export interface LedgerExperiment {
  code: string;
  seed: number;
  metric: string;
  context: string;
  purpose?: 'baseline' | 'best' | 'confirmation' | 'front' | 'holdout' | 'replication' | 'screening';
  title?: string;
  hypothesis?: string;
  agent?: string;
  citations?: LedgerCitation[];
  free?: boolean;
}

/** A run came back, as a value or as a reason. */
export interface LedgerExperimentFinished {
  kind: 'experiment-finished';
  number: number;
  run: LedgerRun;
}

/** One execution: a value, or a reason why there is none. */
export interface LedgerRun {
  experiment: string;
  value?: number | null;
  reason?: 'bounds' | 'failure' | 'locked' | 'lost' | 'missing' | 'nonfinite' | 'pruned' | 'refused' | 'stopped' | 'timeout' | null;
  message?: string;
  traceback?: string;
  seconds?: number;
  values?: { [key: string]: number };
  curves?: { [key: string]: [number, number][] };
  peak?: number;
  unwatched?: string[];
  notebook?: string;
}

/** A plan counts from here on, run or not. */
export interface LedgerPlanRegistered {
  kind: 'plan-registered';
  plan: LedgerPlan;
}

/** How a hypothesis will be judged; written before its runs and never changed. */
export interface LedgerPlan {
  id: string;
  hypothesis: string;
  agent: string;
  first_seed: number;
  max_pairs: number;
  margin: number;
  weight: number;
  level?: number;
}

/** The judgement of a plan, by `statistics` over its pairs. */
export interface LedgerVerdictReached {
  kind: 'verdict-reached';
  hypothesis: string;
  plan: string;
  evidence: LedgerEvidence;
}

/** What the pairs of a plan say. `effect`, `low`, `high` in units of the metric, positive is better. */
export interface LedgerEvidence {
  verdict: 'open' | 'refuted' | 'supported';
  effect: number;
  low: number | null;
  high: number | null;
  pairs: number;
  e_value: number;
  e_against: number;
  scope: 'exact' | 'seeds' | 'splits';
  new_data_low?: number | null;
  new_data_high?: number | null;
  cost_ratio?: number;
  note?: string;
}

/** The best cell, measured again on untouched seeds. */
export interface LedgerBestEstimated {
  kind: 'best-estimated';
  variation: LedgerVariation;
  mean: number;
  low: number;
  high: number;
  runs: number;
  hypothesis?: string;
}

/** A supported finding on data that no run had seen: mean gain with its Student interval, positive is better. */
export interface LedgerHoldoutMeasured {
  kind: 'holdout-measured';
  hypothesis: string;
  effect: number;
  low: number | null;
  high: number | null;
  pairs: number;
  mean: number;
  failed?: number;
  failed_reference?: number;
}

/** Two objectives: the variations between which one has to choose, as screening saw them, measured again. */
export interface LedgerFrontMeasured {
  kind: 'front-measured';
  points: LedgerCompromise[];
}

/** A variation with two objectives, each measured again on untouched seeds: means and Student intervals. */
export interface LedgerCompromise {
  variation: LedgerVariation;
  hypothesis: string;
  runs: number;
  metric: [number, number, number];
  second: [number, number, number];
}

/** An agent would look for a knob's value in another range than the usual one. */
export interface LedgerSpaceSuggested {
  kind: 'space-suggested';
  agent: string;
  direction: string;
  knob: string;
  low: number;
  high: number;
  why: string;
  wider?: string;
}

/** A language model's words over the findings; numbers and quotations were checked, and what failed is left out. */
export interface LedgerSummaryWritten {
  kind: 'summary-written';
  agent: string;
  model: string;
  sentences: string[];
  struck?: number;
}

/** A language model is about to be asked: its upper bounds are taken from the budget now. */
export interface LedgerModelAsked {
  kind: 'model-asked';
  call: string;
  agent: string;
  role: string;
  model: string;
  prompt: string;
  tokens_in: number;
  tokens_out: number;
  dollars?: number | null;
}

/** What came of a `ModelAsked`: what it really took is settled. */
export interface LedgerModelAnswered {
  kind: 'model-answered';
  call: string;
  tokens_in: number;
  tokens_out: number;
  dollars?: number | null;
  seconds?: number;
  failed?: string;
  guessed?: boolean;
}

/** An agent's task is over; its cost enters the record. */
export interface LedgerTaskFinished {
  kind: 'task-finished';
  agent: string;
  role: string;
  direction?: string;
  seconds?: number;
  failed?: boolean;
  why?: string;
}

export type LedgerEvent =
  | LedgerSwarmRequested
  | LedgerPauseRequested
  | LedgerResumeRequested
  | LedgerStopRequested
  | LedgerSteeringRequested
  | LedgerPaperAdded
  | LedgerIndexBuilt
  | LedgerNoted
  | LedgerRunnerStarted
  | LedgerRunnerEnded
  | LedgerSwarmPaused
  | LedgerSwarmResumed
  | LedgerSwarmEnded
  | LedgerSteeringAnswered
  | LedgerAgentHired
  | LedgerStandingChanged
  | LedgerDirectionOpened
  | LedgerDirectionWeighted
  | LedgerDirectionClosed
  | LedgerEvidenceFound
  | LedgerBudgetChanged
  | LedgerHypothesisProposed
  | LedgerHypothesisMarked
  | LedgerExperimentStarted
  | LedgerExperimentFinished
  | LedgerPlanRegistered
  | LedgerVerdictReached
  | LedgerBestEstimated
  | LedgerHoldoutMeasured
  | LedgerFrontMeasured
  | LedgerSpaceSuggested
  | LedgerSummaryWritten
  | LedgerModelAsked
  | LedgerModelAnswered
  | LedgerTaskFinished;
