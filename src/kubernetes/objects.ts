import type { KubernetesObject } from './kubernetes.ts';

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Has a name; nothing else is known of it. */
export function isKubernetesObject(value: unknown): value is KubernetesObject {
  if (!isRecord(value) || !isRecord(value['metadata'])) return false;
  const { name, namespace } = value['metadata'];
  return typeof name === 'string' && name !== '' && (namespace === undefined || typeof namespace === 'string');
}
