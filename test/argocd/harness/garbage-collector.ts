import type { ApiObject } from '../../support/real-kubernetes-api.ts';
import type { RealKubernetes } from '../../support/real-kubernetes.ts';
import type { Mirror } from './mirror.ts';

const FINALIZER = 'foregroundDeletion';

/**
 * Lets go of what Argo CD deletes "in the foreground". In a cluster the garbage collector of kube-controller-manager does
 * that when all dependents are gone; nothing here has any.
 *
 * @param collections are followed from now on: paths of plural kinds.
 */
export async function collectGarbage(
  { admin }: RealKubernetes,
  mirror: Mirror,
  collections: readonly string[],
): Promise<void> {
  mirror.onChange((object, removed) => {
    const { deletionTimestamp, finalizers } = object.metadata as Deletion;
    if (removed || deletionTimestamp === undefined || finalizers?.includes(FINALIZER) !== true) return;
    void letGo(object, finalizers);
  });
  for (const collection of collections) await mirror.follow(collection);

  async function letGo(object: ApiObject, finalizers: readonly string[]): Promise<void> {
    await admin.send('PATCH', await admin.pathOf(object), {
      body: { metadata: { finalizers: finalizers.filter((finalizer) => finalizer !== FINALIZER) } },
      contentType: 'application/merge-patch+json',
    });
  }
}

type Deletion = ApiObject['metadata'] & {
  readonly deletionTimestamp?: string;
  readonly finalizers?: readonly string[];
};
