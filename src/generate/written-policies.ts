import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { FieldRule } from '../edit/image-field.ts';
import type { Notice } from '../error/user-error.ts';
import { entriesOf, type PluginParameters } from '../parameters/plugin-parameters.ts';
import type { ImagePolicy } from '../policy/image-policy.ts';
import type { AppRoot } from '../render/app-root.ts';
import { POLICY_FILE, readPolicyFile } from './policy-file.ts';

/** The policies that are known before rendering; annotations are in what is rendered. */
export interface WrittenPolicies {
  readonly parameters: readonly ImagePolicy[];
  readonly file: readonly ImagePolicy[];
  readonly fieldRules: readonly FieldRule[];
  readonly sync?: 'full';
  readonly notices: readonly Notice[];
}

/** What there is when policies cannot be read and need not be. */
export function noPolicies(notices: readonly Notice[]): WrittenPolicies {
  return { parameters: [], file: [], fieldRules: [], notices };
}

/** Part of the name of every setting that sets a value before rendering. */
const TARGET = /\b(?:helm|kustomize)\.image-/;

/**
 * Whether policies may act before rendering. Where they cannot, they are read while the renderer runs: for 100 of them that
 * is 10 ms of every generation.
 */
export function mayHaveTargets(parameters: PluginParameters, root: AppRoot): boolean {
  const settings = [...entriesOf(parameters, 'image-settings').keys()];
  return settings.some((key) => TARGET.test(key)) || existsSync(join(root.app, POLICY_FILE));
}

/** Reads the policies of the parameters and of the policy file. */
export async function readPolicies(parameters: PluginParameters, root: AppRoot): Promise<WrittenPolicies> {
  const { policiesFromParameters } = await import('../policy/from-parameters.ts');
  const fromParameters = await policiesFromParameters(parameters);
  const fromFile = await readPolicyFile(root);
  const sync = fromParameters.sync ?? fromFile?.sync;
  return {
    parameters: fromParameters.policies,
    ...(sync !== undefined && { sync }),
    file: fromFile?.policies ?? [],
    fieldRules: fromFile?.fieldRules ?? [],
    notices: [...fromParameters.notices, ...(fromFile?.notices ?? [])],
  };
}
