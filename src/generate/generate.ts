import { tmpdir } from 'node:os';
import { type Notice, UserError } from '../error/user-error.ts';
import { modeFor } from '../operator/mode.ts';
import type { OperatorConfiguration } from '../operator/operator-configuration.ts';
import { readBuildEnvironment } from '../parameters/build-environment.ts';
import { readParameters } from '../parameters/read-parameters.ts';
import { renderSpecFrom } from '../parameters/render-spec.ts';
import type { PluginParameters } from '../parameters/plugin-parameters.ts';
import { type AppRoot, findAppRoot } from '../render/app-root.ts';
import { detectRenderer } from '../render/detect.ts';
import { render } from '../render/render.ts';
import type { BuildEnvironment, Rendered, RendererKind, RenderSpec, ValueOverrides } from '../render/render-spec.ts';
import type { RenderTools } from '../render/render-options.ts';
import { openWorkspace, sweepLeftovers } from '../render/workspace.ts';
import { isOfUploadedFiles } from '../resolve/preview.ts';
import type { Resolver } from '../resolve/resolver.ts';
import { Answers } from './asks.ts';
import { noticing } from './failures.ts';
import { generationClaim } from './generation-claim.ts';
import type { ImageReport } from './image-report.ts';
import { forRenderer } from './renderer-mismatch.ts';
import type { TargetAnswer } from './targets.ts';
import { mayHaveTargets, noPolicies, readPolicies, type WrittenPolicies } from './written-policies.ts';

/** One generation: all that Argo CD says of it is in the directory and the environment. */
export interface GenerateRequest {
  /** The application's directory. */
  readonly directory: string;
  /** The tree it may read, where a person named one. */
  readonly tree?: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Edit and build dependencies in the directory itself. */
  readonly inPlace: boolean;
  /** Collect what `explain` shows. */
  readonly explain: boolean;
  /** Argo CD asks, and gets what comes out: a controller takes down which images the application uses. */
  readonly register: boolean;
  /** AppProject to ask as, where a person named one; else the environment's. */
  readonly project?: string;
}

export interface GeneratePorts {
  readonly configuration: OperatorConfiguration;
  /** Called once, when there is something to ask. */
  readonly resolver: () => Promise<Resolver>;
  readonly tools: RenderTools;
  /** Milliseconds of a clock that only goes forward. */
  readonly now: () => number;
  /** 0 up to 1. */
  readonly random: () => number;
}

export interface Generation {
  /** The manifests. */
  readonly text: string;
  readonly notices: readonly Notice[];
  /** What happened to each image; made when it is asked for, because only people ask. */
  readonly reports: () => readonly ImageReport[];
}

/**
 * Renders an application and puts into its images what their policies allow and the registry offers. It holds no state of
 * the process, so it can run many times and side by side in one.
 *
 * @throws {UserError} what a user can mend; `AggregateError` of them when several images failed.
 */
export async function generate(
  request: GenerateRequest,
  ports: GeneratePorts,
  signal: AbortSignal,
): Promise<Generation> {
  const { configuration } = ports;
  const deadline = ports.now() + configuration.budgetMs;
  const timeLeft = (): number => {
    const left = deadline - ports.now();
    if (left <= 0) throw budgetExceeded(configuration.budgetMs);
    return left;
  };
  const prepared = prepare(request, ports);
  const { parameters, environment, root, spec, answers, isRegistered, isObserved } = prepared;
  const stop = new AbortController();
  let rendering: Promise<Rendered> | undefined;
  let beside: Promise<unknown> | undefined;
  const workspace = openWorkspace({ root, inPlace: request.inPlace, temporaryDirectory: tmpdir() });
  try {
    const early = mayHaveTargets(parameters, root) ? await policiesOf(prepared) : undefined;
    const { targets, overrides } =
      early === undefined ? NO_TARGETS : await targetsOf(early, prepared, timeLeft, signal);
    const started = Promise.withResolvers<void>();
    rendering = render({
      root,
      spec,
      environment,
      policy: configuration.rendering,
      overrides,
      workspace,
      budgetMs: timeLeft(),
      signal: AbortSignal.any([signal, stop.signal]),
      tools: ports.tools,
      parentEnvironment: request.environment,
      onStart: started.resolve,
    });
    // Nothing that costs time comes before the renderer runs. While it does: policies are read, what its output will need is
    // loaded, and what killed predecessors left is swept.
    const whileItRuns = Promise.race([started.promise, rendering]).then(async () => {
      const policies = early ?? (await policiesOf(prepared));
      const { resolveImages } = await import('./resolve-images.ts');
      if (isRegistered || policies.parameters.length + policies.file.length > 0) await answers.prepare();
      await sweepLeftovers(tmpdir());
      return { policies, resolveImages };
    });
    beside = whileItRuns;
    const [rendered, { policies, resolveImages }] = await Promise.all([rendering, whileItRuns]);
    if (!SOME_CONTENT.test(rendered.text)) throw nothingRendered(root.app);

    const { text } = rendered;
    if (isRegistered && HOOK.test(text)) answers.foundHooks();
    const images = await noticing(
      isObserved,
      async () => resolveImages({ text, policies, targets, answers, configuration, timeLeft, signal }),
      (notices) => ({ text, reports: () => [], notices, resolutionNotices: [] }),
    );
    const ofRendering = [...policies.notices, ...rendered.notices, ...images.notices];
    if (isRegistered) await answers.report(ofRendering, signal);
    return { text: images.text, reports: images.reports, notices: [...ofRendering, ...images.resolutionNotices] };
  } finally {
    // Where something else failed first, the renderer may still run and write.
    stop.abort();
    await rendering?.catch(() => {});
    // What it opens is closed by who called.
    await beside?.catch(() => {});
    await workspace.dispose();
  }
}

interface Targets {
  readonly targets: readonly TargetAnswer[];
  readonly overrides: ValueOverrides;
}

const NO_TARGETS: Targets = { targets: [], overrides: { helm: [], kustomizeImages: [] } };

/** Loaded for who has them: few do, and nothing renders before. */
async function targetsOf(
  policies: WrittenPolicies,
  { answers, isObserved }: Prepared,
  timeLeft: () => number,
  signal: AbortSignal,
): Promise<Targets> {
  const { answerTargets, overridesFrom } = await import('./targets.ts');
  // What is wrong is told after rendering, where the same is asked again.
  const targets = await noticing(
    isObserved,
    async () => answerTargets(policies, answers, timeLeft, signal),
    () => [],
  );
  return { targets, overrides: overridesFrom(targets) };
}

/** What is known of a generation before anything is read but its environment. */
interface Prepared {
  readonly parameters: PluginParameters;
  readonly environment: BuildEnvironment;
  readonly root: AppRoot;
  readonly spec: RenderSpec & { readonly renderer: RendererKind };
  readonly answers: Answers;
  /** A controller takes down what the application uses. */
  readonly isRegistered: boolean;
  /** The application as a whole is in mode observe. */
  readonly isObserved: boolean;
}

function prepare(request: GenerateRequest, { configuration, resolver, random }: GeneratePorts): Prepared {
  const writtenParameters = request.environment['ARGOCD_APP_PARAMETERS'];
  const parameters = readParameters(writtenParameters);
  const environment = readBuildEnvironment(request.environment);
  const root = findAppRoot(request.directory, request.tree === undefined ? {} : { treeHint: request.tree });
  const project = request.project ?? environment.projectName;
  const who = { application: environment.appName, ...(project !== undefined && { project }) };
  const generation = generationClaim(environment, writtenParameters, random);
  const isPreview = isOfUploadedFiles(generation);
  // Only a controller has anything to take down, and without one a generation without policies opens no resolver.
  const isRegistered =
    request.register && !isPreview && configuration.controller !== undefined && environment.appName !== '';
  const answers = new Answers(resolver, {
    v: 1,
    who,
    explain: request.explain,
    ...(isPreview && { preview: true }),
    ...(isRegistered ? { generation } : { source: generation.source }),
  });
  const spec = renderSpecFrom(parameters, environment);
  return {
    parameters,
    environment,
    root,
    spec: { ...spec, renderer: spec.renderer ?? detectRenderer(root.app) },
    answers,
    isRegistered,
    isObserved: modeFor(configuration, who) === 'observe',
  };
}

async function policiesOf({ parameters, root, spec, answers, isObserved }: Prepared): Promise<WrittenPolicies> {
  const policies = await noticing(
    isObserved,
    async () => forRenderer(spec.renderer, parameters, await readPolicies(parameters, root)),
    noPolicies,
  );
  if (policies.sync === 'full') answers.wantFullSync();
  return policies;
}

function budgetExceeded(budgetMs: number): UserError {
  return new UserError('BUDGET_EXCEEDED', {
    what: `the ${budgetMs / 1000} s for this generation passed`,
    where: 'generate',
    fix: 'look for what is slow with image-resolver explain, or raise budget in the operator configuration',
  });
}

/** A line that is neither empty nor a comment nor a document marker. */
const SOME_CONTENT = /^[ \t]*[^\s#-]/m;

/** An annotation that makes a hook, and none that only says more about one. A text that merely looks like it costs a notice. */
const HOOK = /(?:argocd\.argoproj\.io|helm\.sh)\/hook["']?[ \t]*:/;

/** Argo CD takes an empty answer for "no resources" and may prune everything. */
function nothingRendered(directory: string): UserError {
  return new UserError('RENDER_EMPTY', {
    what: 'the renderer printed no manifest at all',
    where: directory,
    fix: 'check path and parameters of the source; an application that is meant to be empty cannot use this plugin',
  });
}
