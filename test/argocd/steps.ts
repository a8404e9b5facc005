// What people do in these tests: they push images, write repositories and Applications, and look at what runs.

import type { ArgoCd } from './harness/argo-cd.ts';
import type { ApplicationOptions } from './harness/argo-cd-objects.ts';
import type { Files } from './harness/git.ts';
import type { TestApplication } from './harness/test-application.ts';
import { policies } from './manifests.ts';

export interface Steps {
  /** `<registry>/acme/<name>`. */
  readonly repository: (name: string) => string;
  readonly image: (name: string, tag: string) => string;
  /** One image after the other; the later ones are newer. */
  readonly push: (name: string, ...tags: readonly string[]) => Promise<void>;
  /** An application of one source that takes `~1.0` of the repository with its name, under the alias `app`. */
  readonly create: (
    name: string,
    files: Files,
    options?: Partial<ApplicationOptions> & { readonly settings?: Readonly<Record<string, string>> },
  ) => Promise<TestApplication>;
}

export function stepsWith(argoCd: () => ArgoCd): Steps {
  const repository = (name: string): string => `${argoCd().registry.host}/acme/${name}`;
  return {
    repository,
    image: (name, tag) => `${repository(name)}:${tag}`,
    async push(name, ...tags) {
      for (const tag of tags) await argoCd().registry.pushImage({ repository: `acme/${name}`, tag });
    },
    async create(name, files, { settings, ...options } = {}) {
      const { url } = await argoCd().createRepository(files);
      const parameters = policies([`app=${repository(name)}:~1.0`], settings);
      return argoCd().createApplication({ name, sources: [{ url, parameters }], ...options });
    },
  };
}
