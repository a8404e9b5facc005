import { execFile } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Files of a repository: path and text; undefined removes one. */
export type Files = Readonly<Record<string, string | undefined>>;

/** A Git repository that Argo CD can clone. */
export interface GitRepository {
  /** `file:///…`. */
  readonly url: string;
  /** Writes or removes files and commits; answers the revision. Files that are not named stay. */
  commit(files: Files, message?: string): Promise<string>;
  /** Goes back to this revision, as after a revert with force; answers it. */
  reset(revision: string): Promise<string>;
}

const IDENTITY = ['-c', 'user.name=test', '-c', 'user.email=test@example.com', '-c', 'commit.gpgsign=false'];

/** A repository with one commit on its branch `main`. */
export async function createGitRepository(directory: string, files: Files): Promise<GitRepository> {
  await mkdir(directory, { recursive: true });
  const git = async (...args: readonly string[]): Promise<string> =>
    (await run('git', [...IDENTITY, ...args], { cwd: directory })).stdout.trim();
  await git('init', '--quiet', '--initial-branch=main');

  const commit: GitRepository['commit'] = async (changes, message = 'change') => {
    for (const [path, content] of Object.entries(changes)) {
      const file = join(directory, path);
      if (content === undefined) {
        await rm(file);
      } else {
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, content);
      }
    }
    await git('add', '--all');
    await git('commit', '--quiet', '--allow-empty', '--message', message);
    return git('rev-parse', 'HEAD');
  };
  await commit(files, 'first');
  return {
    url: `file://${directory}`,
    commit,
    async reset(revision) {
      await git('reset', '--quiet', '--hard', revision);
      return revision;
    },
  };
}
