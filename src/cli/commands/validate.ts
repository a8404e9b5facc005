import { UserError } from '../../error/user-error.ts';
import { POLICY_FILE, readPolicyFile } from '../../generate/policy-file.ts';
import { systemFiles } from '../../operator/files.ts';
import { configurationPath, loadOperatorConfiguration } from '../../operator/load-operator-configuration.ts';
import { readBuildEnvironment } from '../../parameters/build-environment.ts';
import { readParameters } from '../../parameters/read-parameters.ts';
import { renderSpecFrom } from '../../parameters/render-spec.ts';
import { checkPolicies } from '../../policy/check-policies.ts';
import { policiesFromParameters } from '../../policy/from-parameters.ts';
import type { ImagePolicy } from '../../policy/image-policy.ts';
import { findAppRoot } from '../../render/app-root.ts';
import { readApplicationFile } from '../application-file.ts';
import { fail, tell } from '../exit.ts';

export interface ValidateOptions {
  readonly file?: string;
  readonly json?: true;
}

interface Checked {
  readonly what: string;
  readonly policies?: number;
}

/** `validate`: everything that can be checked without rendering and without a registry. Tells the first error of each part. */
export async function runValidate(directory: string, options: ValidateOptions): Promise<void> {
  const checked: Checked[] = [];
  const errors: unknown[] = [];
  const check = async (work: () => Promise<Checked>): Promise<void> => {
    try {
      checked.push(await work());
    } catch (error) {
      if (error instanceof AggregateError) errors.push(...(error.errors as unknown[]));
      else errors.push(error);
    }
  };
  await check(checkOperator);
  await check(async () => checkPolicyFile(directory));
  await check(async () => checkParameters(directory, options.file));

  if (options.json) {
    const told = errors.map((error) => (error instanceof UserError ? error.toData() : { what: String(error) }));
    process.stdout.write(`${JSON.stringify({ checked, errors: told }, undefined, 2)}\n`);
  } else {
    for (const { what, policies } of checked) {
      process.stdout.write(`ok  ${what}${policies === undefined ? '' : `: ${policies} image policies`}\n`);
    }
  }
  if (errors.length > 0) fail(new AggregateError(errors));
}

async function checkOperator(): Promise<Checked> {
  // As it is written now: a generation would go on with the last valid one.
  await loadOperatorConfiguration(process.env, { files: systemFiles });
  return { what: `operator configuration ${configurationPath(process.env).path}` };
}

async function checkPolicyFile(directory: string): Promise<Checked> {
  const file = await readPolicyFile(findAppRoot(directory));
  if (file === undefined) return { what: `${POLICY_FILE}: not there` };
  tell(file.notices);
  return checkedPolicies(POLICY_FILE, file.policies);
}

async function checkParameters(directory: string, file: string | undefined): Promise<Checked> {
  const application = file === undefined ? undefined : await readApplicationFile(file, directory);
  const environment = { ...process.env, ...application?.environment };
  const json = environment['ARGOCD_APP_PARAMETERS'];
  if (json === undefined) return { what: 'plugin parameters: none given (-f, or ARGOCD_APP_PARAMETERS)' };
  const parameters = readParameters(json);
  renderSpecFrom(parameters, readBuildEnvironment(environment));
  const { policies, notices } = await policiesFromParameters(parameters);
  tell(notices);
  return checkedPolicies(file ?? 'ARGOCD_APP_PARAMETERS', policies);
}

async function checkedPolicies(what: string, policies: readonly ImagePolicy[]): Promise<Checked> {
  const errors = await checkPolicies(policies);
  if (errors.length > 0) throw new AggregateError(errors);
  return { what, policies: policies.length };
}
