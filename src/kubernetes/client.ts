import type { Sleep } from '../registry/time.ts';
import type { ApiConnection } from './connection.ts';
import { follow } from './follow.ts';
import { ApiHttp, type ApiRequest } from './http.ts';
import { type Kubernetes, KubernetesError, type KubernetesObject, type TokenReview, type User } from './kubernetes.ts';
import { isKubernetesObject, isRecord } from './objects.ts';

export interface KubernetesOptions {
  readonly connection: ApiConnection;
  readonly sleep: Sleep;
  /** [0, 1). */
  readonly random: () => number;
}

/** etcd takes objects of 1.5 MiB unless told otherwise. */
const MAX_OBJECT_BYTES = 8 * 1024 * 1024;

/** The Kubernetes API by HTTP; see {@link Kubernetes}. */
export function createKubernetes({ connection, sleep, random }: KubernetesOptions): Kubernetes {
  const http = new ApiHttp(connection);
  const answer = (asked: ApiRequest, signal: AbortSignal): Promise<unknown> =>
    http.json(asked, { signal, maxBytes: MAX_OBJECT_BYTES });
  const object = async (asked: ApiRequest, signal: AbortSignal): Promise<KubernetesObject> => {
    const found = await answer(asked, signal);
    if (!isKubernetesObject(found))
      throw new KubernetesError(`${asked.method} ${asked.path} was answered with something that is no object`);
    return found;
  };
  /** Reviews are created, and answered with their `status`. */
  const review = async (path: string, kind: string, spec: unknown, signal: AbortSignal): Promise<Status> => {
    const [, , group, version] = path.split('/');
    const body = { apiVersion: `${group}/${version}`, kind, spec };
    const reviewed = await answer({ method: 'POST', path, body }, signal);
    const status = isRecord(reviewed) ? reviewed['status'] : undefined;
    if (!isRecord(status)) throw new KubernetesError(`POST ${path} was answered without a status`);
    return status;
  };

  return {
    follow: (collection, reduce, follower, signal) =>
      follow({ http, sleep, random }, collection, reduce, follower, signal),
    get: (path, signal) => object({ method: 'GET', path }, signal),
    patch: (path, body, signal) =>
      object({ method: 'PATCH', path, body, contentType: 'application/merge-patch+json' }, signal),
    create: (path, body, signal) => object({ method: 'POST', path, body }, signal),
    reviewToken: async (token, audiences, signal) => {
      const spec = { token, ...(audiences.length === 0 ? {} : { audiences }) };
      const path = '/apis/authentication.k8s.io/v1/tokenreviews';
      return reviewOf(await review(path, 'TokenReview', spec, signal), audiences);
    },
    mayAccessApplication: async (user, verb, application, signal) => {
      const resource = { group: 'argoproj.io', resource: 'applications', verb, ...application };
      const { username, groups, uid, extra } = user;
      const spec = { user: username, groups, uid, ...(extra !== undefined && { extra }), resourceAttributes: resource };
      const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
      const { allowed, denied } = await review(path, 'SubjectAccessReview', spec, signal);
      return allowed === true && denied !== true;
    },
  };
}

type Status = Readonly<Record<string, unknown>>;

function reviewOf({ authenticated, user, audiences }: Status, asked: readonly string[]): TokenReview {
  if (authenticated !== true || !isRecord(user)) return { kind: 'rejected' };
  const { username, groups, uid, extra } = user;
  if (typeof username !== 'string' || username === '') return { kind: 'rejected' };
  // It may restrict what the token is good for, so it is not dropped.
  if (!isExtra(extra)) return { kind: 'rejected' };
  // Without audiences in the answer the token was only checked for the API server itself: not for us.
  const isForUs =
    asked.length === 0 || (Array.isArray(audiences) && asked.some((audience) => audiences.includes(audience)));
  if (!isForUs) return { kind: 'rejected' };
  return {
    kind: 'authenticated',
    username,
    groups: Array.isArray(groups) ? groups.filter((group) => typeof group === 'string') : [],
    uid: typeof uid === 'string' ? uid : '',
    ...(isRecord(extra) && { extra }),
  };
}

function isExtra(extra: unknown): extra is User['extra'] | null {
  if (extra === undefined || extra === null) return true;
  const isText = (value: unknown): value is string => typeof value === 'string';
  return isRecord(extra) && Object.values(extra).every((values) => Array.isArray(values) && values.every(isText));
}
