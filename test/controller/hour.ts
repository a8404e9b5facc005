import fc from 'fast-check';
import type { Ask } from '../../src/resolve/resolver.ts';
import type { Selection } from '../../src/strategy/selection.ts';
import { ask, following, newestBuild, repository, selection, semver } from '../resolve/harness.ts';
import { faultOf, type MemoryRequest } from '../support/memory-registry.ts';
import { type Rendering, SimulatedController } from './simulated-controller.ts';

export const MINUTE = 60_000;
export const HOUR: number = 60 * MINUTE;
export const INTERVAL_MS: number = 2 * MINUTE;

/** One repository as one tenant follows it. */
interface Line {
  readonly name: string;
  readonly repository: string;
  readonly project: string;
  readonly selection: Selection;
  readonly onRemoved?: 'next-best';
  readonly tag: (build: number) => string;
  /** The registry shows this tenant tags of its own. */
  readonly isPrivate: boolean;
}

const version = (build: number): string => `1.0.${build}`;
export const LINES: readonly Line[] = [
  {
    name: 'api-of-a',
    repository: 'registry.example.com/acme/api',
    project: 'team-a',
    selection: semver('~1.0'),
    tag: (build) => version(build + 5000),
    isPrivate: true,
  },
  {
    name: 'api-of-b',
    repository: 'registry.example.com/acme/api',
    project: 'team-b',
    selection: semver('~1.0'),
    tag: version,
    isPrivate: true,
  },
  {
    name: 'web',
    repository: 'public.example.com/acme/web',
    project: 'team-b',
    selection: selection(
      { kind: 'alphabetical' },
      { filters: [{ effect: 'allow', kind: 'regexp', pattern: '^build-[0-9]+$' }] },
    ),
    tag: (build) => `build-${String(build).padStart(6, '0')}`,
    isPrivate: false,
  },
  {
    name: 'jobs',
    repository: 'public.example.com/acme/jobs',
    project: 'team-a',
    selection: newestBuild,
    tag: version,
    isPrivate: false,
  },
  {
    name: 'worker',
    repository: 'public.example.com/acme/worker',
    project: 'team-a',
    selection: semver('~1.0'),
    onRemoved: 'next-best',
    tag: version,
    isPrivate: false,
  },
  {
    name: 'edge',
    repository: 'public.example.com/acme/edge',
    project: 'team-b',
    selection: following('main'),
    tag: () => 'main',
    isPrivate: false,
  },
];
const APPLICATIONS: readonly { readonly name: string; readonly project: string; readonly lines: readonly Line[] }[] = [
  ...LINES.flatMap((line) =>
    ['one', 'two'].map((which) => ({ ...line, name: `${line.name}-${which}`, lines: [line] })),
  ),
  ...['team-a', 'team-b'].map((project) => ({
    name: `all-of-${project}`,
    project,
    lines: LINES.filter((line) => line.project === project || !line.isPrivate),
  })),
];

/** Ends with the number of the build, in every line. */
function buildOf(tag: string): number {
  return Number(/\d+$/.exec(tag)?.[0]);
}

/** The registry's content of one line, and what was ever in it. */
class Content {
  readonly line: Line;
  readonly scope: string | undefined;
  readonly digests: Set<string> = new Set();
  /** Builds that were away long enough to fall from, by their tag. */
  readonly #proved = new Set<string>();
  readonly #awaySince = new Map<string, number>();
  readonly #there = new Set<number>();
  readonly #here: SimulatedController;
  newest = 10;
  /** What the newest tag points at. */
  current = '';

  constructor(here: SimulatedController, line: Line, scope: string | undefined) {
    this.#here = here;
    this.line = line;
    this.scope = scope;
    for (let build = 1; build <= this.newest; build++) this.put(build);
  }

  pushNewer(): void {
    this.newest += 1;
    this.put(this.newest);
  }

  put(build: number, content = `build ${build}`): void {
    const tag = this.line.tag(build);
    this.#note();
    this.#there.add(build);
    this.#awaySince.delete(tag);
    const scope = this.scope === undefined ? {} : { scope: this.scope };
    const image = { content: `${this.line.name} ${content}`, createdMs: build * 1000, ...scope };
    const digest = this.#here.registry.push(this.line.repository, tag, image);
    this.digests.add(digest);
    if (build === this.newest) this.current = digest;
  }

  remove(build: number): void {
    const tag = this.line.tag(build);
    if (!this.#there.delete(build)) return;
    this.#awaySince.set(tag, this.#here.clock.now());
    if (tag !== 'main') this.#here.registry.remove(this.line.repository, tag, this.scope);
  }

  restore(): void {
    for (let build = 1; build <= this.newest; build++) if (!this.#there.has(build)) this.put(build);
  }

  clockWentBack(): void {
    const now = this.#here.clock.now();
    for (const [tag, since] of this.#awaySince) this.#awaySince.set(tag, Math.min(since, now));
  }

  mayFallFrom(tag: string): boolean {
    this.#note();
    return this.#proved.has(tag);
  }

  #note(): void {
    for (const [tag, since] of this.#awaySince) {
      if (this.#here.clock.now() - since >= 10 * MINUTE) this.#proved.add(tag);
    }
  }
}

type Broken = 'outage' | 'throttled' | 'denied' | 'missing' | 'refused' | 'cancelled';

/** Something that happens. */
export type Step =
  | { readonly kind: 'push' | 'remove' | 'shrink' | 'empty' | 'restore' | 'repush' | 'webhook'; readonly line: number }
  | {
      readonly kind: 'break';
      readonly fault: Broken;
      readonly of: MemoryRequest['kind'] | 'all';
      readonly line: number | 'all';
      /** One of so many requests. */
      readonly oneOf: number;
      readonly retryAfterS: number;
    }
  | { readonly kind: 'slow'; readonly ms: number }
  | {
      readonly kind:
        | 'mend'
        | 'kubernetes-down'
        | 'kubernetes-up'
        | 'argo-restarts'
        | 'restart'
        | 'disk-full'
        | 'lose-disk';
    }
  | { readonly kind: 'argo-slow'; readonly ms: number }
  | { readonly kind: 'lose-patch' | 'commit' | 'hard-refresh' | 'render'; readonly application: number }
  | { readonly kind: 'kill'; readonly effects: number }
  | { readonly kind: 'jump'; readonly hours: number };

const line = fc.nat(LINES.length - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('push' as const), line }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom('remove' as const, 'shrink', 'empty', 'restore', 'repush', 'webhook'),
      line,
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('break' as const),
      fault: fc.constantFrom<Broken>('outage', 'throttled', 'denied', 'missing', 'refused', 'cancelled'),
      of: fc.constantFrom<MemoryRequest['kind'] | 'all'>('list', 'head', 'built', 'inspect', 'all'),
      line: fc.oneof(line, fc.constant('all' as const)),
      oneOf: fc.constantFrom(1, 1, 2, 5),
      retryAfterS: fc.constantFrom(0, 5, 300),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('slow' as const), ms: fc.constantFrom(0, 900, 4_000, 45_000) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'mend' as const,
        'kubernetes-down',
        'kubernetes-up',
        'argo-restarts',
        'restart',
        'disk-full',
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('argo-slow' as const), ms: fc.constantFrom(500, 40_000) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom('lose-patch' as const, 'commit', 'hard-refresh', 'render'),
      application: fc.nat(APPLICATIONS.length - 1),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('kill' as const), effects: fc.integer({ min: 1, max: 60 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('jump' as const), hours: fc.constantFrom(-1, 1) }) },
);
export const schedule: fc.Arbitrary<readonly { readonly step: Step; readonly pauseMs: number }[]> = fc.array(
  fc.record({ step, pauseMs: fc.constantFrom(0, 40, 700, 8_000, MINUTE, 3 * MINUTE, 6 * MINUTE) }),
  { minLength: 10, maxLength: 40 },
);

/** One hour: the world, what happens in it, and what must not. */
export class Hour {
  readonly violations: string[] = [];
  readonly here: SimulatedController;
  readonly contents: Content[] = [];
  /** What may cost listings and patches beyond those that time brings. */
  readonly happened: { starts: number; hints: number; jumps: number; commits: number; changes: number } = {
    starts: 0,
    hints: 0,
    jumps: 0,
    commits: 0,
    changes: 0,
  };
  readonly #highest = new Map<string, { readonly tag: string; readonly build: number }>();

  constructor() {
    this.here = new SimulatedController({
      configuration: {
        interval: '2m',
        registries: {
          allow: ['public.example.com'],
          hosts: [
            { host: 'registry.example.com', credentials: 'env:ALICE', projects: ['team-a'] },
            { host: 'registry.example.com', credentials: 'env:BOB', projects: ['team-b'] },
          ],
        },
      },
      environment: { ALICE: 'alice:password', BOB: 'bob:password' },
      rendered: (rendering) => this.#check(rendering),
    });
  }

  async begin(): Promise<void> {
    const { here } = this;
    for (const one of LINES) {
      const scope = one.isPrivate ? await here.scopeOf(one.repository, one.project) : undefined;
      this.contents.push(new Content(here, one, scope));
    }
    await here.start();
    for (const { name, project, lines } of APPLICATIONS) {
      here.asks.set(name, lines.map(askOf));
      await here.clock.run(here.argo.add({ name, project, automated: { selfHeal: true, prune: true } }));
    }
    await here.clock.advance(MINUTE);
  }

  async happen(what: Step): Promise<void> {
    const { here } = this;
    switch (what.kind) {
      case 'push':
      case 'remove':
      case 'shrink':
      case 'empty':
      case 'restore':
      case 'repush':
      case 'webhook':
        this.#change(what.kind, this.contents[what.line] as Content);
        return;
      case 'break': {
        const { repository: name } = what.line === 'all' ? { repository: undefined } : (LINES[what.line] as Line);
        let asked = 0;
        here.registry.fault = (request) => {
          const isMeant =
            (what.of === 'all' || request.kind === what.of) && (name ?? request.repository) === request.repository;
          if (!isMeant || ++asked % what.oneOf !== 0) return undefined;
          const fault = faultOf(what.fault, request.repository);
          return what.retryAfterS === 0 ? fault : { ...fault, retryAfterMs: what.retryAfterS * 1000 };
        };
        return;
      }
      case 'slow':
        here.registry.latencyMs = what.ms;
        return;
      case 'mend':
        this.#mendRegistry();
        return;
      case 'kubernetes-down':
      case 'kubernetes-up':
        here.kubernetes.down = what.kind === 'kubernetes-down';
        return;
      case 'argo-slow':
        for (const { name } of APPLICATIONS) here.argo.behaviourOf(name).refreshMs = what.ms;
        return;
      case 'argo-restarts':
        for (const { name } of APPLICATIONS) {
          const behaviour = here.argo.behaviourOf(name);
          behaviour.isDeaf = !behaviour.isDeaf;
        }
        this.#argoListens();
        return;
      case 'disk-full':
        here.fillDisk();
        return;
      case 'lose-disk':
        here.loseDisk();
        this.#forgetButLive();
        this.happened.starts += 1;
        await here.restart();
        return;
      case 'restart':
        await this.restart();
        return;
      case 'kill':
        here.killAfter(what.effects);
        return;
      case 'jump':
        this.happened.jumps += 1;
        here.clock.jump(what.hours * HOUR);
        for (const content of this.contents) content.clockWentBack();
        return;
      case 'lose-patch':
      case 'commit':
      case 'hard-refresh':
      case 'render':
        await this.#touch(what.kind, APPLICATIONS[what.application]?.name ?? '');
        return;
      default:
        what satisfies never;
    }
  }

  /** Lets time pass; a process that ended is begun again soon. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left >= 0; left -= MINUTE / 2) {
      await this.here.clock.advance(Math.min(left, MINUTE / 2));
      if (!this.here.isRunning) await this.restart();
    }
  }

  async restart(): Promise<void> {
    this.happened.starts += 1;
    // What was decided while nothing could be kept is not known to the next process: it goes on from what was kept before.
    if (this.here.isDiskFull) this.#highest.clear();
    await this.here.restart();
  }

  /** What runs is all that anybody can know then. */
  #forgetButLive(): void {
    this.#highest.clear();
    for (const { name, lines } of APPLICATIONS) {
      for (const image of this.here.argo.liveOf(name).split('\n')) {
        const { repository: path, tag } = /^(?<repository>.*):(?<tag>[^@:]+)(?:@.*)?$/.exec(image)?.groups ?? {};
        if (lines.some((of) => of.repository === path) && tag !== undefined)
          this.#highest.set(`${name} ${path}`, { tag, build: buildOf(tag) });
      }
    }
  }

  /** Everything is as it should be, and there is something new. */
  async mend(): Promise<void> {
    const { here } = this;
    this.#mendRegistry();
    here.kubernetes.down = false;
    for (const { name } of APPLICATIONS) {
      const behaviour = here.argo.behaviourOf(name);
      behaviour.isDeaf = false;
      behaviour.losesPatches = 0;
      behaviour.refreshMs = 500;
    }
    this.#argoListens();
    await this.restart();
    this.push();
  }

  /** Something new in every line. */
  push(): void {
    for (const content of this.contents) this.#change('push', content);
  }

  /** Applications that do not run the newest of every line. */
  get behind(): readonly string[] {
    return this.behindWithout([]);
  }

  /** As {@link behind}, without those that use a line named. */
  behindWithout(names: readonly string[]): readonly string[] {
    const concerned = APPLICATIONS.filter(({ lines }) => lines.every((one) => !names.includes(one.name)));
    return concerned.flatMap(({ name, lines }) => {
      const live = this.here.argo.liveOf(name).split('\n');
      const wanted = lines.map((one) => {
        const content = this.contents.find((candidate) => candidate.line === one) as Content;
        return `${one.repository}:${one.tag(content.newest)}${one.name === 'edge' || one.name === 'jobs' ? `@${content.current}` : ''}`;
      });
      const state = this.here.ports?.refresher.stateOf(name);
      return live.join() === wanted.join()
        ? []
        : [`${name} ${JSON.stringify(state)}: ${live.join()}, not ${wanted.join()}`];
    });
  }

  #change(kind: 'push' | 'remove' | 'shrink' | 'empty' | 'restore' | 'repush' | 'webhook', content: Content): void {
    const { line: of, newest } = content;
    this.happened.changes += 1;
    switch (kind) {
      case 'push':
        content.pushNewer();
        return;
      case 'remove':
        content.remove(newest);
        return;
      case 'shrink':
      case 'empty':
        for (let build = kind === 'empty' ? 1 : 2; build <= newest; build++) content.remove(build);
        return;
      case 'restore':
        content.restore();
        return;
      case 'repush':
        // The tag points at an older image again. To newest-build another one is the newest then.
        if (of.selection.strategy.kind !== 'newest-build') content.put(newest, 'build 1');
        return;
      case 'webhook':
        this.happened.hints += 1;
        this.here.ports?.webhooks.changed([{ repository: repository(of.repository), tag: of.tag(newest) as never }]);
        return;
      default:
        kind satisfies never;
    }
  }

  async #touch(kind: 'lose-patch' | 'commit' | 'hard-refresh' | 'render', name: string): Promise<void> {
    const { argo, clock } = this.here;
    if (kind === 'lose-patch') argo.behaviourOf(name).losesPatches += 1;
    if (kind === 'hard-refresh') {
      this.happened.hints += LINES.length;
      argo.hardRefresh(name);
    }
    if (kind === 'commit' || kind === 'render') {
      this.happened.commits += 1;
      const revision = kind === 'commit' ? `commit-${clock.now()}` : (argo.byInstanceName(name)?.revisions[0] ?? '');
      await clock.run(argo.push(name, revision));
    }
  }

  #mendRegistry(): void {
    this.here.registry.fault = () => undefined;
    this.here.registry.latencyMs = 0;
    for (const content of this.contents) content.restore();
  }

  /** A controller of Argo CD that starts takes up what was asked for meanwhile. */
  #argoListens(): void {
    const { argo } = this.here;
    for (const { name } of APPLICATIONS) {
      if (argo.behaviourOf(name).isDeaf || argo.byInstanceName(name)?.refreshAsked !== 'hard') continue;
      argo.hardRefresh(name);
    }
  }

  #check({ application, project, answers, isHeard }: Rendering): void {
    for (const { ask: asked, resolution } of answers) {
      const key = `${application} ${asked.repository.name}`;
      // The other repo-server may have been answered since: what it kept is the best that a sidecar can do alone.
      const before = isHeard ? this.#highest.get(key) : undefined;
      if (!('decision' in resolution)) {
        if (before !== undefined) this.violations.push(`${key}: ${before.tag}, and then ${JSON.stringify(resolution)}`);
        continue;
      }
      const { tag, digest } = resolution.decision;
      const of = LINES.find(
        ({ repository: name, project: tenant, isPrivate }) =>
          name === asked.repository.name && (!isPrivate || tenant === project),
      ) as Line;
      const content = this.contents.find((candidate) => candidate.line === of) as Content;
      const build = buildOf(tag);
      if (of.name === 'edge') {
        if (tag !== 'main' || digest === undefined || !content.digests.has(digest))
          this.violations.push(`${key}: ${tag}@${digest} was never pushed`);
      } else if (!(build > 0) || build > buildOf(of.tag(content.newest)) || build < buildOf(of.tag(1))) {
        this.violations.push(`${key}: ${tag} is none of its tags`);
      } else if (before !== undefined && build < before.build && !(of.onRemoved && content.mayFallFrom(before.tag))) {
        this.violations.push(`${key}: ${before.tag}, and then ${tag}: ${resolution.why}`);
      }
      if (isHeard) this.#highest.set(key, { tag, build });
    }
  }
}

function askOf(of: Line): Ask {
  return ask(of.selection, { repository: repository(of.repository), onRemoved: of.onRemoved ?? 'keep' });
}
