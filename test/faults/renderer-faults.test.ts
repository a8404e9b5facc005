import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ErrorCode } from '../../src/error/codes.ts';
import { type PluginContainer, startPluginContainer, type TestApplication } from '../support/run-resolver.ts';
import { expectFailure, expectWarning } from './expect-failure.ts';
import { deployment } from './one-image.ts';
import { processesOf, until } from './processes.ts';

// Small programs stand in for kustomize and Helm and do what the real ones do on their worst days.

let container: PluginContainer;
beforeEach(async () => {
  container = await startPluginContainer();
});
afterEach(async () => container[Symbol.asyncDispose]());

const MANIFEST = deployment('ghcr.io/acme/api:1.0.0');

const APPLICATIONS = {
  kustomize: { 'app/kustomization.yaml': 'resources: [api.yaml]\n', 'app/api.yaml': MANIFEST },
  helm: {
    'app/Chart.yaml': 'apiVersion: v2\nname: api\nversion: 0.1.0\n',
    'app/templates/api.yaml': MANIFEST,
  },
} as const;
type Tool = keyof typeof APPLICATIONS;

/** A folder with a program of the tool's name. It must answer what the plugin asks about versions too. */
async function standIn(tool: Tool, script: string): Promise<string> {
  const versions = 'case "$1" in version) echo "v4.2.1"; exit 0;; esac\n';
  return dirname(await container.write(`stand-in/${tool}`, `#!/bin/bash\n${versions}${script}`, 0o755));
}

const application = (tool: Tool): Promise<TestApplication> => container.application(APPLICATIONS[tool]);

const FAULTS: readonly { name: string; script: string; code: ErrorCode; says: string }[] = [
  {
    name: 'fails',
    script: 'echo "Error: boom at $PWD and $HOME" >&2; echo "half: a manifest"; exit 3\n',
    code: 'RENDER_FAILED',
    says: 'boom',
  },
  { name: 'fails in silence', script: 'exit 3\n', code: 'RENDER_FAILED', says: 'exit code 3' },
  {
    name: 'fails with much to say and acts on terminals',
    script: 'printf "\\033]0;owned\\007\\033[2J" >&2; for i in $(seq 9000); do echo "line $i" >&2; done; exit 1\n',
    code: 'RENDER_FAILED',
    says: 'line 1',
  },
  {
    name: 'is killed',
    script: `echo 'apiVersion: v1'; kill -KILL $$\n`,
    code: 'RENDER_FAILED',
    says: 'was killed by SIGKILL',
  },
  { name: 'prints nothing', script: 'exit 0\n', code: 'RENDER_EMPTY', says: 'the renderer' },
  { name: 'prints without end', script: 'exec yes "a: b"\n', code: 'RENDER_TOO_LARGE', says: 'bytes' },
  { name: 'prints no text', script: `printf 'a: \\xff\\xfe\\n'\n`, code: 'FILE_NOT_UTF8', says: '' },
  { name: 'prints no YAML', script: `printf 'image: [\\n'\n`, code: 'MANIFEST_INVALID', says: 'rendered manifests:' },
];

const TOOLS: readonly Tool[] = ['kustomize', 'helm'];

test.for(TOOLS.flatMap((tool) => FAULTS.map((fault) => ({ tool, ...fault }))))(
  '$tool $name: $code',
  async ({ tool, script, code, says }) => {
    const toolsFirst = [await standIn(tool, script)];
    const stderr = await expectFailure(container, await application(tool), code, { toolsFirst });
    expect(stderr).toContain(says === '' ? tool : says);
  },
);

test.for(TOOLS)('%s hangs with children that ignore SIGTERM: RENDER_TIMEOUT within the budget', async (tool) => {
  await container.configure({ budget: '2s' });
  const toolsFirst = [await standIn(tool, 'trap "" TERM; (trap "" TERM; sleep 1000) & sleep 1000\n')];
  const stderr = await expectFailure(container, await application(tool), 'RENDER_TIMEOUT', { toolsFirst, once: true });
  expect(stderr).toContain(tool);
  expect(await until(() => processesOf(container.folder).length === 0)).toBe(true);
});

test.for(TOOLS)('%s is not installed: RENDERER_MISSING', async (tool) => {
  const environment = { PATH: dirname(process.execPath) };
  const stderr = await expectFailure(container, await application(tool), 'RENDERER_MISSING', { environment });
  expect(stderr).toContain(tool);
});

test.for(TOOLS)('%s cannot be executed: RENDERER_MISSING', async (tool) => {
  await container.write(`stand-in/${tool}`, 'no program', 0o644);
  const environment = { PATH: `${container.folder}/stand-in:${dirname(process.execPath)}` };
  const stderr = await expectFailure(container, await application(tool), 'RENDERER_MISSING', { environment });
  expect(stderr).toContain('cannot be executed');
});

test.for(TOOLS)('%s prints warnings: a notice, and the manifests as they are', async (tool) => {
  const toolsFirst = [await standIn(tool, `echo "WARNING: old field \x1b[31m" >&2; cat <<'END'\n${MANIFEST}END\n`)];
  const { stdout, stderr } = await expectWarning(container, await application(tool), 'RENDER_WARNING', { toolsFirst });
  expect(stdout).toBe(MANIFEST);
  expect(stderr).toContain('old field \\x1b');
});

test('a real chart that fails on purpose shows no URL password and no private path', async () => {
  const chart = await container.application({
    'app/Chart.yaml': 'apiVersion: v2\nname: api\nversion: 0.1.0\n',
    'app/values.yaml': 'url: https://bob:canary-password@db.example.com/x?sig=canary-signature\n',
    'app/templates/x.yaml': '{{ fail (printf "bad url %s\\n\\x1b[31m" .Values.url) }}\n',
  });
  const stderr = await expectFailure(container, chart, 'RENDER_FAILED');
  expect(stderr).toContain('bad url https://db.example.com/x');
  expect(stderr).not.toContain('canary');
});

test.for(TOOLS)('%s sees nothing of the environment but what the allow-list has', async (tool) => {
  const toolsFirst = [
    await standIn(
      tool,
      `env -0 | sort -z | tr '\\0' '\\n' | sed 's/=.*//' > "${container.folder}/seen"; echo 'a: b'\n`,
    ),
  ];
  await container.generate(await application(tool), {
    toolsFirst,
    environment: {
      AWS_SECRET_ACCESS_KEY: 'x',
      REGISTRY_PASSWORD: 'x',
      GIT_ASKPASS: '/bin/askpass',
      ARGOCD_GIT_ASKPASS_NONCE: 'x',
      ARGOCD_ENV_EVIL: 'x',
      HELM_PLUGINS: '/evil',
      HELM_DRIVER: 'sql',
      KUBECONFIG: '/evil',
      KUSTOMIZE_PLUGIN_HOME: '/evil',
      GIT_CONFIG_COUNT: '1',
      LD_PRELOAD: '',
      NODE_OPTIONS: '',
      'PARAM_x"; evil': 'x',
    },
  });
  const seen = (await readFile(`${container.folder}/seen`, 'utf8')).trim().split('\n');
  const allowed =
    /^(PATH|HOME|TMPDIR|PWD|OLDPWD|SHLVL|_|KUBECONFIG|DOCKER_CONFIG|GOGC|(XDG|HELM|GIT_CONFIG|GIT_TERMINAL)_.*|KUSTOMIZE_PLUGIN_HOME|ARGOCD_APP_(NAME|NAMESPACE|PROJECT_NAME|REVISION|REVISION_SHORT|REVISION_SHORT_8|SOURCE_.*)|KUBE_.*)$/;
  expect(seen.filter((name) => !allowed.test(name))).toEqual([]);
  expect(seen).not.toContain('HELM_DRIVER');
});

test('a plugin for Helm that the repository brings is not run', async () => {
  const planted = {
    'app/plugins/evil/plugin.yaml':
      'name: evil\nversion: 0.1.0\nusage: x\ndescription: x\ncommand: "$HELM_PLUGIN_DIR/run.sh"\nhooks: {install: "touch ran"}\n',
    'app/plugins/evil/run.sh': `#!/bin/sh\ntouch ${container.folder}/ran\n`,
    'app/.helm/plugins/evil/plugin.yaml': 'name: template\nversion: 0.1.0\ncommand: "touch ran"\n',
  };
  const chart = await container.application({ ...APPLICATIONS.helm, ...planted });
  const run = await container.generate(chart, {
    environment: { HELM_PLUGINS: `${chart.directory}/plugins`, HELM_DATA_HOME: `${chart.directory}/.helm` },
  });
  expect(run).toMatchObject({ exitCode: 0, stderr: '' });
  expect(existsSync(`${container.folder}/ran`)).toBe(false);
});
