import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { knownHosts } from '../../src/controller/known-hosts.ts';
import { completeConfiguration } from '../../src/operator/complete-configuration.ts';
import { systemFiles } from '../../src/operator/files.ts';
import { operatorFolder } from '../operator/operator-files.ts';

test('a host of the docker configuration is one that the operator named, for as long as it is there', () => {
  const folder = operatorFolder();
  const dockerConfig = join(folder.path, 'config.json');
  const registries = { allow: ['ghcr.io'], hosts: [{ host: 'registry.example.com' }] };
  const configuration = completeConfiguration({ registries, dockerConfig }, [], {});
  let now = 0;
  const known = knownHosts(
    () => configuration,
    systemFiles,
    () => now,
  );
  const hosts = (): ReadonlySet<string> => {
    now += 5_000;
    return known();
  };
  const named = ['ghcr.io', 'registry.example.com'];
  expect([...hosts()].toSorted()).toEqual(named);
  const auths = { 'https://index.docker.io/v1/': {}, 'quay.io/team-a': {} };
  folder.write('config.json', JSON.stringify({ auths, credHelpers: { 'aws.example.com': 'ecr-login' } }));
  expect([...hosts()].toSorted()).toEqual(['aws.example.com', 'docker.io', ...named, 'quay.io'].toSorted());
  folder.write('config.json', 'no JSON');
  expect([...hosts()].toSorted()).toEqual(named);
  rmSync(dockerConfig);
  expect([...hosts()].toSorted()).toEqual(named);
});
