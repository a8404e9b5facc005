import { applyEdits } from '../edit/apply-edits.ts';
import { findImages } from '../edit/find-fields.ts';
import type { FieldId } from '../edit/image-field.ts';
import { type FieldWrite, planEdits } from '../edit/plan-edits.ts';
import { type Notice, UserError } from '../error/user-error.ts';
import type { OperatorConfiguration } from '../operator/operator-configuration.ts';
import { checkPolicies } from '../policy/check-policies.ts';
import { policiesFromAnnotations } from '../policy/from-annotations.ts';
import type { ImagePolicy } from '../policy/image-policy.ts';
import { matchPolicies } from '../policy/match.ts';
import { writtenParts } from '../policy/output.ts';
import type { Resolution } from '../resolve/resolver.ts';
import { askFor } from './ask-for.ts';
import type { Answers } from './asks.ts';
import { chosenIn } from './chosen.ts';
import { placingFilterErrors, throwAll, throwErrorsOf } from './failures.ts';
import { type Decided, type ImageReport, imageReports } from './image-report.ts';
import { observedNotices } from './observed-notices.ts';
import type { TargetAnswer } from './targets.ts';
import type { WrittenPolicies } from './written-policies.ts';

export interface RenderedImages {
  /** The rendering. */
  readonly text: string;
  readonly policies: WrittenPolicies;
  readonly targets: readonly TargetAnswer[];
  readonly answers: Answers;
  readonly configuration: OperatorConfiguration;
  readonly timeLeft: () => number;
  readonly signal: AbortSignal;
}

/**
 * Finds the images of a rendering, asks for those with a policy, and writes the answers into the text.
 *
 * @throws {UserError} or `AggregateError`: nothing is written unless every image is known.
 */
export async function resolveImages(input: RenderedImages): Promise<{
  readonly text: string;
  readonly reports: () => readonly ImageReport[];
  readonly notices: readonly Notice[];
  /** Of what was answered; whoever answered knows them. */
  readonly resolutionNotices: readonly Notice[];
}> {
  const { unmatchedPolicy } = input.configuration;
  const rendering = findImages(input.text, { rules: input.policies.fieldRules });
  const { annotated, fields } = rendering.findings;
  const readings = annotated.map((resource) =>
    policiesFromAnnotations(resource, fields, { onUnmatched: unmatchedPolicy.annotations }),
  );
  const annotations = readings.flatMap(({ policies }) => policies);
  const matches = matchPolicies({
    fields,
    parameters: input.policies.parameters,
    file: input.policies.file,
    annotations,
    applied: new Map(input.targets.flatMap(({ policy, tag }) => (tag === undefined ? [] : [[policy, tag] as const]))),
    onUnmatched: unmatchedPolicy,
  });
  throwAll(matches.errors.map((error) => UserError.fromData(error)));

  const asked = fields.flatMap((field) => {
    const policy = matches.assigned.get(field.id);
    return policy === undefined ? [] : [{ field, policy, ask: askFor(policy, field) }];
  });
  const asks = asked.map(({ ask }) => ask);
  const policies = [...input.policies.parameters, ...input.policies.file, ...annotations.map(({ policy }) => policy)];
  const resolutions = await placingFilterErrors(policies, input.answers.to(asks, input.timeLeft(), input.signal));
  // An invalid regular expression answers before the fault of a registry that it hides behind.
  throwAll(await failedFilters(policies, resolutions));
  throwErrorsOf(resolutions);

  const decided = new Map<FieldId, Decided>();
  for (const [index, { field, policy }] of asked.entries()) {
    const resolution = resolutions[index];
    const shadowed = matches.shadowed.get(field.id) ?? [];
    if (resolution !== undefined) decided.set(field.id, { policy, shadowed, resolution });
  }
  const observed = fields.flatMap((field) => {
    const found = decided.get(field.id);
    return found === undefined ? [] : observedNotices(field, found.policy, found.resolution);
  });
  const writes = writesFor(decided);
  return {
    text: applyEdits(input.text, planEdits(rendering, writes)),
    reports: () =>
      imageReports({ fields, decided, writes, policies, shadowed: matches.shadowed, targets: input.targets }),
    notices: [...readings.flatMap(({ notices }) => notices), ...matches.notices, ...observed],
    resolutionNotices: [...resolutions, ...input.targets.map(({ resolution }) => resolution)].flatMap(
      ({ notices }) => notices,
    ),
  };
}

function writesFor(decided: ReadonlyMap<FieldId, Decided>): ReadonlyMap<FieldId, FieldWrite> {
  const writes = new Map<FieldId, FieldWrite>();
  for (const [id, { policy, resolution }] of decided) {
    const chosen = chosenIn(resolution);
    if (chosen !== undefined) writes.set(id, writtenParts(policy, chosen));
  }
  return writes;
}

/** Compiling regular expressions costs more than the rest together, so it is left to who evaluates them, until one fails. */
async function failedFilters(
  policies: readonly ImagePolicy[],
  resolutions: readonly Resolution[],
): Promise<readonly UserError[]> {
  return resolutions.some((resolution) => 'error' in resolution) ? checkPolicies(policies) : [];
}
