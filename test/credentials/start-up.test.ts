import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { operatorsWorld } from './credential-fixture.ts';

/** Prints which packages and slow built-ins are loaded while `body` runs. */
function packagesLoadedBy(body: string, environment: Readonly<Record<string, string>>): readonly string[] {
  const program = `
    import { registerHooks } from 'node:module';
    const loaded = new Set();
    registerHooks({ load(url, context, next) { loaded.add(url); return next(url, context); } });
    ${body}
    const names = [...loaded].map((url) => /node_modules\\/((?:@[^/]+\\/)?[^/]+)/.exec(url)?.[1] ?? (url === 'node:crypto' ? url : undefined));
    console.log(JSON.stringify([...new Set(names.filter(Boolean))].sort()));`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    env: { ...process.env, ...environment },
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  return JSON.parse(stdout) as readonly string[];
}

const generation = `
  const { createOperatorConfigurationSource } = await import('./src/operator/operator-configuration-source.ts');
  const { systemFiles } = await import('./src/operator/files.ts');
  const { createAccessBroker } = await import('./src/credentials/broker.ts');
  const { configuration } = await createOperatorConfigurationSource(process.env, { files: systemFiles }).current();
  const broker = createAccessBroker(configuration, process.env, { files: systemFiles, now: Date.now });
  const answer = broker.accessFor({ host: 'ghcr.io', path: 'a/b', name: 'ghcr.io/a/b' }, { application: '' });
  if (answer.kind !== 'granted') throw new Error(answer.error.what);`;

test('configuration, broker and access load no package when there is no file, and none for a file that is known', () => {
  const world = operatorsWorld();
  const text = 'apiVersion: image-resolver.io/v1alpha1\nkind: ResolverConfiguration\ninterval: 1m\n';
  const environment = {
    IMAGE_RESOLVER_CONFIG: world.write('config.yaml', text),
    IMAGE_RESOLVER_STATE: `${world.path}/state`,
  };
  expect(packagesLoadedBy(generation, { IMAGE_RESOLVER_CONFIG: '' })).toEqual([]);
  expect(packagesLoadedBy(generation, environment)).toEqual(['valibot', 'yaml']);
  expect(packagesLoadedBy(generation, environment)).toEqual([]);
});
