import { toJsonSchema } from '@valibot/to-json-schema';
import { configurationSchema } from '../../operator/configuration-schema.ts';
import { policyFileSchema } from '../../policy/file-schema.ts';

export type SchemaName = 'policies' | 'configuration';

/** `schema`: a JSON Schema for editors and for checks before a commit. */
export function runSchema(name: SchemaName): void {
  const schema = name === 'policies' ? policyFileSchema : configurationSchema;
  const title =
    name === 'policies'
      ? 'Image policies beside the manifests: .image-resolver.yaml'
      : 'Operator configuration of argocd-image-resolver';
  const { $schema, ...rest } = toJsonSchema(schema);
  process.stdout.write(`${JSON.stringify({ $schema, title, ...rest }, undefined, 2)}\n`);
}
