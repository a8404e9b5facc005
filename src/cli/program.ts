// The command line as people see it. Each command's code is loaded only when it is the one called.
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import type { ExplainOptions } from './commands/explain.ts';
import type { ControllerCommandOptions } from './commands/controller.ts';
import type { StatusOptions } from './commands/status.ts';
import { EXIT } from './exit.ts';
import type { PersonOptions } from './person.ts';

const program = new Command('image-resolver')
  .description(
    'Resolves image tags and digests while Argo CD renders manifests.\n' +
      'Applications name the plugin `image-resolver`; people use explain, status, refresh, select, test and validate.',
  )
  .version(process.env['IMAGE_RESOLVER_VERSION'] ?? '0.0.0')
  .showHelpAfterError('(image-resolver --help shows the commands)')
  .addHelpText(
    'after',
    `
Exit codes: 0 done, 1 an error to act on, 2 wrong usage, 70 a bug.
Environment: IMAGE_RESOLVER_CONFIG, IMAGE_RESOLVER_REGISTRIES, IMAGE_RESOLVER_STATE,
IMAGE_RESOLVER_INTERVAL, IMAGE_RESOLVER_CONTROLLER, IMAGE_RESOLVER_TOKEN_FILE, DOCKER_CONFIG.

Examples:
  image-resolver explain overlays/production -f application.yaml
  printf 'v1.0.5\\nv1.0.6\\nv1.1.0\\n' | image-resolver select --constraint '~1.0'
  image-resolver test ghcr.io/acme/web`,
  )
  .exitOverride();

program
  .command('generate')
  .description(
    'render the application in this directory and write its manifests to stdout (called by argocd-cmp-server)',
  )
  .option(
    '--in-place',
    'edit and build dependencies here instead of in a private copy (the directory is already private)',
  )
  .action(async (options: { inPlace?: true }) => (await import('./commands/generate.ts')).runGenerate(options));

program
  .command('worker')
  .description('take generations over a Unix socket, one after the other (started by the entry point of the image)')
  .argument('<socket>', 'its path, in a folder that belongs to this user alone')
  .action(async (socket: string) => (await import('./commands/worker.ts')).runWorker(socket));

program
  .command('parameters')
  .description('announce the plugin parameters as JSON (called by argocd-cmp-server)')
  .action(async () => {
    (await import('./commands/parameters.ts')).runParameters();
  });

const asPerson = (command: Command): Command =>
  command
    .option('--controller <url>', 'where the controller is; default: controller.url of the operator configuration')
    .option('--ca-file <file>', 'certificates the controller is trusted by')
    .option('--token-file <file>', 'your Kubernetes token; default: that of your kubeconfig');
asPerson(
  program
    .command('explain')
    .description('show for each image what was considered, what was rejected by which rule, what was chosen and why')
    .argument('[directory]', "the application's directory; default: source.path of the Application, or here")
    .option('-f, --file <application.yaml>', 'take parameters, name, project and path from an Application')
    .option('--project <name>', 'AppProject to ask as; default: that of the Application')
    .option('--json', 'for machines'),
).action(async (directory: string | undefined, options: ExplainOptions) =>
  (await import('./commands/explain.ts')).runExplain(directory, options),
);

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];
program
  .command('select')
  .description('print the tag a policy selects from the tags on standard input; asks no registry')
  .option('--strategy <name>', 'semver, newest-build, alphabetical, regexp', 'semver')
  .option('--constraint <text>', "version constraint in Masterminds' dialect, as Helm's")
  .addOption(new Option('--allow-tags <filter>', 'regexp:<RE2>, or any (repeatable)').argParser(collect).default([]))
  .addOption(
    new Option('--ignore-tags <filter>', 'globs, comma-separated, or regexp:<RE2> (repeatable)')
      .argParser(collect)
      .default([]),
  )
  .addHelpText(
    'after',
    '\nOne tag a line; for newest-build: tag, tabulator, RFC 3339 date. Nothing satisfies: exit code 1.',
  )
  .action(
    async (options: {
      strategy: string;
      constraint?: string;
      allowTags: readonly string[];
      ignoreTags: readonly string[];
    }) => (await import('./commands/select.ts')).runSelect(options),
  );

program
  .command('test')
  .description('ask a registry for an image: connectivity, the credential used, the tags seen')
  .argument('<image>', 'a repository, with or without tag')
  .option('--project <name>', 'AppProject to ask as')
  .option('--pull-secret <name>', 'credential to ask with, as a policy names it')
  .option('--json', 'for machines')
  .action(async (image: string, options: { project?: string; pullSecret?: string; json?: true }) =>
    (await import('./commands/test.ts')).runTest(image, options),
  );

program
  .command('validate')
  .description(
    'check the operator configuration, .image-resolver.yaml and an Application, without rendering or asking a registry',
  )
  .argument('[directory]', "the application's directory", '.')
  .option('-f, --file <application.yaml>', 'check the plugin parameters of an Application')
  .option('--json', 'for machines')
  .action(async (directory: string, options: { file?: string; json?: true }) =>
    (await import('./commands/validate.ts')).runValidate(directory, options),
  );

program
  .command('schema')
  .description('print a JSON Schema')
  .argument(
    '[name]',
    'policies (.image-resolver.yaml) or configuration (the operator configuration)',
    (name: string) => {
      if (name !== 'policies' && name !== 'configuration')
        throw new InvalidArgumentError('There are policies and configuration.');
      return name;
    },
  )
  .action(async (name: 'policies' | 'configuration' | undefined) => {
    (await import('./commands/schema.ts')).runSchema(name ?? 'policies');
  });

const port = (text: string): number => {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 0 || number > 65_535)
    throw new InvalidArgumentError('A port is a number from 0 (any free one) to 65535.');
  return number;
};
program
  .command('controller')
  .description('serve all sidecars with one decision, keep it fresh, and refresh the applications it concerns')
  .addOption(
    new Option('--resolve-port <port>', 'sidecars and people ask here; TLS with a certificate')
      .argParser(port)
      .default(8443),
  )
  .addOption(new Option('--webhook-port <port>', 'events of registries: /webhook/<type>').argParser(port).default(8082))
  .addOption(new Option('--metrics-port <port>', 'Prometheus: /metrics').argParser(port).default(9090))
  .addOption(new Option('--health-port <port>', '/healthz and /readyz').argParser(port).default(8081))
  .option('--address <address>', 'address to listen on; default: all')
  .option(
    '--tls-directory <folder>',
    'holds tls.crt and tls.key; plain HTTP when they are not there',
    '/etc/image-resolver/tls',
  )
  .addOption(
    new Option('--sidecar-account <namespace/name>', 'service account that sidecars run as (repeatable)')
      .argParser(collect)
      .default([], 'argocd-repo-server in the namespace of Argo CD'),
  )
  .addOption(
    new Option('--namespace <name>', 'watch Applications in this namespace only (repeatable)')
      .argParser(collect)
      .default([], 'all namespaces'),
  )
  .addOption(new Option('--log-format <format>').choices(['json', 'text']).default('json'))
  .addOption(new Option('--log-level <level>').choices(['debug', 'info', 'warning', 'error']).default('info'))
  .action(async (options: ControllerCommandOptions) =>
    (await import('./commands/controller.ts')).runController(options),
  );

asPerson(
  program
    .command('status')
    .description('show what the controller knows of an application: images, decisions, the next look, what fails')
    .argument('[application]', 'namespace/name or name; default: all, for those who may get all Applications')
    .option('--json', 'for machines'),
).action(async (application: string | undefined, options: StatusOptions) =>
  (await import('./commands/status.ts')).runStatus(application, options),
);
asPerson(
  program
    .command('refresh')
    .description('let the controller look at the registries of an application again, now')
    .argument('<application>', 'namespace/name or name'),
).action(async (application: string, options: PersonOptions) =>
  (await import('./commands/refresh.ts')).runRefresh(application, options),
);

for (const command of program.commands) command.exitOverride();

/** Parses the arguments and runs the command they name. */
export async function runProgram(): Promise<void> {
  try {
    await program.parseAsync();
  } catch (error) {
    // Commander has already printed its message; help and version arrive here too, with exit code 0.
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.usage;
    else throw error;
  }
}
