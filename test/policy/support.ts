import type { FieldId, ImageField } from '../../src/edit/image-field.ts';
import { UserError } from '../../src/error/user-error.ts';
import { parsePolicyReference, parseReference } from '../../src/image/reference.ts';
import { readParameters } from '../../src/parameters/read-parameters.ts';
import { policiesFromParameters, type PolicyReading } from '../../src/policy/from-parameters.ts';
import type { ImagePolicy } from '../../src/policy/image-policy.ts';

/** Policies from parameters as an Application has them. */
export async function read(
  images: string | readonly string[],
  settings: Readonly<Record<string, string>> = {},
): Promise<PolicyReading> {
  const value = typeof images === 'string' ? { string: images } : { array: images };
  const entries = [
    { name: 'images', ...value },
    { name: 'image-settings', map: settings },
  ];
  return policiesFromParameters(readParameters(JSON.stringify(entries)));
}

/** The only policy of one image. */
export async function readOne(image: string, settings: Readonly<Record<string, string>> = {}): Promise<ImagePolicy> {
  const { policies } = await read([image], settings);
  const [policy, ...others] = policies;
  if (policy === undefined || others.length > 0) throw new Error(`${policies.length} policies`);
  return policy;
}

/** The user error that a call ends with. */
export async function errorOf(call: () => unknown): Promise<UserError> {
  try {
    await call();
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error('there was no error');
}

/** An image field as the search of a rendering gives it. */
export function field(
  written: string,
  about: {
    readonly container?: string;
    readonly name?: string;
    readonly kind?: string;
    readonly namespace?: string;
    readonly id?: string;
  } = {},
): ImageField {
  const plain = parseReference(written);
  const reference = plain.ok ? plain : parsePolicyReference(written);
  const { container = 'app', name = 'web', kind = 'Deployment', namespace, id } = about;
  return {
    id: (id ?? `${kind}/${namespace ?? ''}/${name}/${container}`) as FieldId,
    resource: { apiVersion: 'apps/v1', kind, name, ...(namespace !== undefined && { namespace }) },
    container,
    path: 'spec.template.spec.containers[0].image',
    line: 1,
    written,
    ...(reference.ok && { reference: reference.value }),
  };
}
