import { isDeepStrictEqual } from 'node:util';
import type { Follower, Kubernetes, KubernetesObject } from '../kubernetes/kubernetes.ts';
import type { Application, ApplicationChange, Applications, Project } from './application.ts';
import { createInterner } from './interner.ts';
import { reduceApplication } from './reduce-application.ts';
import { reduceProject } from './reduce-project.ts';

export interface FollowApplicationsOptions {
  readonly kubernetes: Pick<Kubernetes, 'follow'>;
  /** Where Argo CD runs: instance names of its Applications have no prefix, and the AppProjects are there. */
  readonly controlPlaneNamespace: string;
  /** Follow these namespaces alone, where the service account may not see all; default: all. */
  readonly namespaces?: readonly string[];
  readonly signal: AbortSignal;
  /** Told what cannot be followed now, and when all can again. */
  readonly trouble?: (problem: string | undefined) => void;
  /** Told each time that every Application was listed, so also what went while nobody looked is known. */
  readonly listed?: () => void;
}

const API = '/apis/argoproj.io/v1alpha1';

/** Follows every Application and AppProject until the signal aborts. */
export function followApplications(options: FollowApplicationsOptions): Applications {
  const { kubernetes, controlPlaneNamespace, namespaces, signal, trouble, listed } = options;
  const applications = new Map<string, Application>();
  const byInstanceName = new Map<string, Application>();
  const projects = new Map<string, Project>();
  const listeners = new Set<(change: ApplicationChange) => void>();
  const intern = createInterner();
  const unlisted = new Set<string>();
  const problems = new Map<string, string>();

  const follow = <T>(
    path: string,
    reduce: (object: KubernetesObject) => { readonly key: string; readonly value: T },
    told: Pick<Follower<T>, 'changed' | 'removed'>,
  ): void => {
    const follower: Follower<T> = {
      ...told,
      listed: () => {
        unlisted.delete(path);
        if (unlisted.size === 0) listed?.();
      },
      trouble: (problem) => {
        if (problem === undefined) problems.delete(path);
        else problems.set(path, problem);
        trouble?.([...problems.values()][0]);
      },
    };
    void kubernetes.follow({ path }, reduce, follower, signal);
  };
  const tell = (change: ApplicationChange): void => {
    for (const listener of listeners) listener(change);
  };

  const followed: Pick<Follower<Application>, 'changed' | 'removed'> = {
    changed: (after) => {
      const key = `${after.namespace}/${after.name}`;
      const before = applications.get(key);
      // Most updates are of what is not kept, as health.
      if (isDeepStrictEqual(before, after)) return;
      applications.set(key, after);
      byInstanceName.set(after.instanceName, after);
      tell({ before, after });
    },
    removed: (key) => {
      const before = applications.get(key);
      if (before === undefined) return;
      applications.delete(key);
      byInstanceName.delete(before.instanceName);
      tell({ before, after: undefined });
    },
  };
  const reduce = (object: KubernetesObject): { readonly key: string; readonly value: Application } => {
    const value = reduceApplication(object, controlPlaneNamespace, intern);
    return { key: `${value.namespace}/${value.name}`, value };
  };
  const paths = namespaces?.map((namespace) => `${API}/namespaces/${encodeURIComponent(namespace)}/applications`);
  for (const path of paths ?? [`${API}/applications`]) {
    unlisted.add(path);
    follow(path, reduce, followed);
  }
  // Without them no whole sync begins, and everything else goes on: so nobody waits for them.
  follow(
    `${API}/namespaces/${encodeURIComponent(controlPlaneNamespace)}/appprojects`,
    (object) => ({ key: object.metadata.name, value: reduceProject(object) }),
    {
      changed: (project) => void projects.set(project.name, project),
      removed: (name) => void projects.delete(name),
    },
  );

  return {
    get complete() {
      return unlisted.size === 0;
    },
    byInstanceName: (instanceName) => byInstanceName.get(instanceName),
    all: () => applications.values(),
    project: (name) => projects.get(name),
    onChange: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}
