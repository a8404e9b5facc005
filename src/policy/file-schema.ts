import * as v from 'valibot';
import { MAX_FILTERS } from '../strategy/limits.ts';
import type { PolicyFile } from './policy-file.ts';

const text = v.pipe(v.string(), v.nonEmpty('must not be empty'));
const texts = v.pipe(v.array(text), v.maxLength(MAX_FILTERS, `must have at most ${MAX_FILTERS} items`));
const glob = (what: string) => v.exactOptional(v.pipe(text, v.description(`${what}, a glob`)));

const match = v.strictObject({
  kind: glob('Kind of the workload'),
  name: glob('Name of the workload'),
  namespace: glob('Namespace of the workload'),
  container: glob('Name of the container'),
});

const helm = v.strictObject({
  imageName: v.exactOptional(v.pipe(text, v.description('Value path of the repository: image.repository'))),
  imageTag: v.exactOptional(v.pipe(text, v.description('Value path of the tag: image.tag'))),
  imageSpec: v.exactOptional(v.pipe(text, v.description('Value path of repository and tag together'))),
});

const kustomize = v.strictObject({
  imageName: v.pipe(text, v.description('Name of the image in the manifests of the base')),
});

const image = v.strictObject({
  name: v.pipe(text, v.description('Alias, for messages and explain; unique in this file')),
  image: v.pipe(text, v.description('The repository: registry.example.com/backend')),
  strategy: v.exactOptional(
    v.pipe(text, v.description('semver (default), newest-build, alphabetical, digest, regexp or none')),
  ),
  constraint: v.exactOptional(
    v.pipe(text, v.description('Version constraint such as "~1.2"; for the digest strategy the tag to follow')),
  ),
  allowTags: v.exactOptional(v.pipe(text, v.description('regexp:<expression in RE2 syntax>, or any'))),
  ignoreTags: v.exactOptional(
    v.pipe(texts, v.description('Globs, or regexp:<expression in RE2 syntax>; "*" pauses the image')),
  ),
  platforms: v.exactOptional(v.pipe(texts, v.description('os/arch or os/arch/variant; linux/amd64'))),
  pullSecret: v.exactOptional(
    v.pipe(text, v.description('A credential granted to the project: pullsecret:<namespace>/<name>')),
  ),
  helm: v.exactOptional(v.pipe(helm, v.description('Chart values to set before rendering'))),
  kustomize: v.exactOptional(v.pipe(kustomize, v.description('Image of the kustomization to set before rendering'))),
  output: v.exactOptional(
    v.pipe(v.picklist(['tag', 'digest', 'tag@digest']), v.description('What is written; per strategy without it')),
  ),
  pin: v.exactOptional(v.pipe(text, v.description('A tag or digest to write, asking no registry'))),
  optional: v.exactOptional(
    v.pipe(v.union([v.boolean(), v.picklist(['true', 'false'])]), v.description('Matching no image is fine; false')),
  ),
  onUnsatisfied: v.exactOptional(
    v.pipe(v.picklist(['git', 'error']), v.description('Before anything satisfied it: stay as in Git, or fail; git')),
  ),
  onRemoved: v.exactOptional(
    v.pipe(v.picklist(['keep', 'next-best']), v.description('When the chosen tag is gone from the registry; keep')),
  ),
  pollInterval: v.exactOptional(v.pipe(text, v.description('How long a listing of tags is fresh: 2m'))),
  match: v.exactOptional(
    v.pipe(v.array(match), v.description('Tells policies of one repository apart: any entry, all of its globs')),
  ),
});

const fieldRule = v.strictObject({
  apiVersion: v.pipe(text, v.description('Of the custom resource, a glob: example.com/*')),
  kind: v.pipe(text, v.description('Of the custom resource, a glob')),
  path: v.exactOptional(v.pipe(text, v.description('Where the whole image stands: spec.runners[*].image'))),
  repository: v.exactOptional(v.pipe(text, v.description('Where the repository stands, with tag'))),
  tag: v.exactOptional(v.pipe(text, v.description('Where the tag stands, with repository'))),
});

/** The schema of `.image-resolver.yaml`. It changes nothing, so it is also the published JSON Schema. */
export const policyFileSchema: v.GenericSchema<PolicyFile> = v.strictObject({
  apiVersion: v.literal('image-resolver.io/v1alpha1'),
  kind: v.literal('ImagePolicies'),
  images: v.exactOptional(v.pipe(v.array(image), v.description('Image policies'))),
  fields: v.exactOptional(v.pipe(v.array(fieldRule), v.description('Image fields of custom resources'))),
  sync: v.exactOptional(
    v.pipe(
      v.literal('full'),
      v.description(
        'A moved image starts a whole sync operation, with hooks; needs a controller and the operator’s consent',
      ),
    ),
  ),
});
