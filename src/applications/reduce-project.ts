import * as v from 'valibot';
import type { KubernetesObject } from '../kubernetes/kubernetes.ts';
import type { Project, SyncWindow } from './application.ts';

/** A project with more is not one that people maintain; the rest would make each check slow. */
const MAX_WINDOWS = 1_000;

const text = v.optional(v.fallback(v.string(), ''), '');
const flag = v.optional(v.fallback(v.boolean(), false), false);
const texts = v.optional(v.fallback(v.array(v.string()), []), []);

const syncWindow = v.object({
  kind: text,
  schedule: text,
  duration: text,
  applications: texts,
  namespaces: texts,
  clusters: texts,
  manualSync: flag,
  timeZone: text,
  andOperator: flag,
});
const schema = v.object({
  metadata: v.object({ name: v.string() }),
  spec: v.object({ syncWindows: v.optional(v.nullable(v.array(syncWindow)), []) }),
});

/** @throws {v.ValiError} when it has no name or its windows are no list. */
export function reduceProject(object: KubernetesObject): Project {
  const { metadata, spec } = v.parse(schema, object);
  return { name: metadata.name, syncWindows: (spec.syncWindows ?? []).slice(0, MAX_WINDOWS).map(windowOf) };
}

function windowOf({ kind, andOperator, ...window }: v.InferOutput<typeof syncWindow>): SyncWindow {
  return { ...window, kind: kind === 'allow' || kind === 'deny' ? kind : 'other', useAnd: andOperator };
}
