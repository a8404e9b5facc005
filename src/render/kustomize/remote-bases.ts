import { mkdirSync } from 'node:fs';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { sanitiseText } from '../../error/sanitise.ts';
import { UserError } from '../../error/user-error.ts';
import { type AppRoot, resolveInTree } from '../app-root.ts';
import type { ProcessResult } from '../run-process.ts';
import { type GitSpec, parseGitSpec } from './git-spec.ts';

/**
 * Remote bases of one rendering. Each is fetched once, looked at, and kustomize then gets exactly what was looked at: its git
 * is pointed at the copy here and may talk to nobody. A base from afar could otherwise name `http://127.0.0.1/…` unseen.
 */
export class RemoteBases {
  readonly #directory: string;
  readonly #git: (args: readonly string[]) => Promise<ProcessResult>;
  readonly #bases = new Map<string, Promise<AppRoot | undefined>>();
  /** Repository as kustomize spells it → its mirror here. */
  readonly #mirrors = new Map<string, string>();
  readonly #failures: string[] = [];

  /**
   * @param directory where mirrors go; need not exist.
   * @param git runs git with an environment that may reach the network.
   */
  constructor(directory: string, git: (args: readonly string[]) => Promise<ProcessResult>) {
    this.#directory = directory;
    this.#git = git;
  }

  /**
   * The base as a tree of its own. Undefined when it is no git repository that could be fetched but may still be a single
   * file at an https URL; {@link failures} then knows what git said.
   */
  fetch(text: string, where: string): Promise<AppRoot | undefined> {
    const known = this.#bases.get(text);
    if (known !== undefined) return known;
    const fetched = this.#fetch(text, where);
    this.#bases.set(text, fetched);
    return fetched;
  }

  /** What git said of URLs that kustomize may still read as files. */
  get failures(): readonly string[] {
    return this.#failures;
  }

  /** git's settings for kustomize: only the mirrors, by the names they are written with. */
  gitConfig(): readonly (readonly [string, string])[] {
    return [
      ['protocol.allow', 'never'],
      ['protocol.https.allow', 'never'],
      ['protocol.ssh.allow', 'never'],
      // `user`, not `always`: submodules of a mirror cannot name local repositories.
      ['protocol.file.allow', this.#mirrors.size === 0 ? 'never' : 'user'],
      ...[...this.#mirrors].map(([repository, mirror]) => [`url.file://${mirror}.insteadOf`, repository] as const),
    ];
  }

  async #fetch(text: string, where: string): Promise<AppRoot | undefined> {
    const spec = parseGitSpec(text);
    if (spec === undefined) return undefined;
    if ('refused' in spec) throw refused(text, where, spec.refused);
    const mirror = await this.#mirrorOf(spec.repository);
    const fetched = await this.#git(['-C', mirror, 'fetch', '--quiet', '--depth=1', spec.repository, spec.ref]);
    if (fetched.exitCode !== 0) {
      const words = sanitiseText(fetched.stderr, { secrets: [], paths: [], maxBytes: 1000 }).trim();
      if (!/^https:/i.test(text)) throw unreachable(text, where, words);
      this.#failures.push(`git fetch of ${shown(text)}: ${words}`);
      return undefined;
    }
    return this.#checkOut(spec, mirror, text, where);
  }

  async #mirrorOf(repository: string): Promise<string> {
    const known = this.#mirrors.get(repository);
    if (known !== undefined) return known;
    const mirror = join(this.#directory, String(this.#mirrors.size));
    this.#mirrors.set(repository, mirror);
    mkdirSync(mirror, { recursive: true });
    await this.#must(['init', '--quiet', '--bare', mirror]);
    // A base can be named by commit; a mirror by default offers only its branches and tags.
    await this.#must(['-C', mirror, 'config', 'uploadpack.allowAnySHA1InWant', 'true']);
    return mirror;
  }

  async #checkOut(spec: GitSpec, mirror: string, text: string, where: string): Promise<AppRoot> {
    const tree = join(this.#directory, `tree-${this.#bases.size}`);
    const offered = spec.ref === 'HEAD' ? 'HEAD' : spec.ref.startsWith('refs/') ? spec.ref : `refs/tags/${spec.ref}`;
    await this.#must(['-C', mirror, 'worktree', 'add', '--quiet', '--force', '--detach', tree, 'FETCH_HEAD']);
    await this.#must(['-C', mirror, 'update-ref', '--no-deref', offered, 'FETCH_HEAD']);
    if (spec.submodules && existsSync(join(tree, '.gitmodules'))) {
      throw new UserError('SOURCE_REFUSED', {
        what: `the remote base ${shown(text)} has git submodules, which are not fetched here`,
        where,
        fix: 'add submodules=false to its query, or keep the base in the repository',
      });
    }
    const app = await resolveInTree({ tree, app: tree }, `./${spec.path}`, { from: 'tree', what: where });
    return { tree, app };
  }

  async #must(args: readonly string[]): Promise<void> {
    const { exitCode, stderr } = await this.#git(args);
    if (exitCode === 0) return;
    throw new UserError('RENDER_FAILED', {
      what: `git failed: ${sanitiseText(stderr, { secrets: [], paths: [[this.#directory, '.']], maxBytes: 1000 }).trim()}`,
      where: `git ${args.find((arg) => /^[a-z-]{4,}$/.test(arg)) ?? ''}`,
      fix: 'look at the git in the plugin container',
    });
  }
}

function shown(text: string): string {
  return sanitiseText(text, { secrets: [], paths: [], maxBytes: 200 });
}

function refused(text: string, where: string, why: string): UserError {
  return new UserError('SOURCE_REFUSED', {
    what: `the remote base ${shown(text)} may not be loaded: ${why}`,
    where,
    fix: 'write it as https://host/org/repository//path?ref=v1.0.0',
  });
}

function unreachable(text: string, where: string, words: string): UserError {
  return new UserError('RENDER_FAILED', {
    what: `the remote base ${shown(text)} could not be fetched: ${words}`,
    where,
    fix: 'check the address, and rendering.gitCredentials for a private repository',
  });
}
