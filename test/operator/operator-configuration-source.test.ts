import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { type FilePorts, systemFiles } from '../../src/operator/files.ts';
import { createOperatorConfigurationSource } from '../../src/operator/operator-configuration-source.ts';
import { operatorFolder } from './operator-files.ts';

const head = 'apiVersion: image-resolver.io/v1alpha1\nkind: ResolverConfiguration\n';
const broken = `${head}intervall: 1m\n`;

/** A configuration file and a state directory; `start` is a process that begins. */
function setting(yaml: string) {
  const folder = operatorFolder();
  const path = folder.write('config.yaml', yaml);
  const state = join(folder.path, 'state');
  const environment = { IMAGE_RESOLVER_CONFIG: path, IMAGE_RESOLVER_STATE: state };
  return {
    folder,
    path,
    state,
    memory: join(state, 'operator-configuration.json'),
    environment,
    start: (files: FilePorts = systemFiles) => createOperatorConfigurationSource(environment, { files }),
  };
}

const ofInterval = (intervalMs: number, notices: readonly unknown[] = []) => ({
  configuration: expect.objectContaining({ intervalMs }) as unknown,
  notices,
});
const kept = expect.objectContaining({ code: 'OPERATOR_CONFIG_KEPT' }) as unknown;

describe('createOperatorConfigurationSource', () => {
  test('follows a valid change', async () => {
    const { path, start } = setting(`${head}interval: 1m\n`);
    const source = start();
    expect(await source.current()).toMatchObject(ofInterval(60_000));
    writeFileSync(path, `${head}interval: 2m\n`);
    expect(await source.current()).toMatchObject(ofInterval(120_000));
  });

  test('keeps the one before when a change is broken, says so with the place each time, and follows when it is mended', async () => {
    const { path, start } = setting(`${head}interval: 1m\n`);
    const source = start();
    await source.current();
    writeFileSync(path, broken);
    const notice = {
      code: 'OPERATOR_CONFIG_KEPT',
      what: 'the change is not valid and the configuration before it stays in force: unknown key intervall',
      where: `${path}:3:1`,
    };
    expect(await source.current()).toMatchObject(ofInterval(60_000, [notice]));
    expect(await source.current()).toMatchObject(ofInterval(60_000, [notice]));
    writeFileSync(path, `${head}interval: 3m\n`);
    expect(await source.current()).toMatchObject(ofInterval(180_000));
  });

  test('keeps the one before for a process that starts after the broken change', async () => {
    const { path, start } = setting(`${head}interval: 1m\n`);
    await start().current();
    writeFileSync(path, broken);
    expect(await start().current()).toMatchObject(ofInterval(60_000, [kept]));
    expect(await start().current()).toMatchObject(ofInterval(60_000, [kept]));
  });

  test('keeps the one before when the file that was named is gone', async () => {
    const { path, start } = setting(`${head}interval: 1m\n`);
    await start().current();
    rmSync(path);
    expect(await start().current()).toMatchObject(ofInterval(60_000, [kept]));
  });

  test('keeps what the files at their default paths said when they vanish, and says how to go back to the defaults', async () => {
    const folder = operatorFolder();
    const inFolder = (path: string): string => path.replace(/^\/etc\/image-resolver\//, `${folder.path}/`);
    const files: FilePorts = {
      ...systemFiles,
      stamp: (path) => systemFiles.stamp(inFolder(path)),
      read: (path) => systemFiles.read(inFolder(path)),
    };
    const environment = { IMAGE_RESOLVER_STATE: join(folder.path, 'state') };
    const start = () => createOperatorConfigurationSource(environment, { files });
    expect(await start().current()).toMatchObject({ configuration: { modes: [], hosts: [] }, notices: [] });
    const written = [
      folder.write('config.yaml', `${head}modes: [{mode: freeze}]\n`),
      folder.write('registries.conf', 'registries: [{name: x, api_url: "https://a.b"}]'),
    ];
    const running = start();
    await running.current();
    for (const path of written) rmSync(path);
    const inForce = { modes: [{ mode: 'freeze' }], hosts: [{ host: 'a.b' }] };
    for (const source of [running, start(), start()]) {
      const { configuration, notices } = await source.current();
      expect(configuration).toMatchObject(inForce);
      expect(notices).toEqual([
        {
          code: 'OPERATOR_CONFIG_KEPT',
          what: expect.stringContaining('write one that holds apiVersion and kind alone') as unknown,
          where: '/etc/image-resolver/config.yaml',
        },
        {
          code: 'OPERATOR_CONFIG_KEPT',
          what: expect.stringContaining('write one that holds registries: [] alone') as unknown,
          where: '/etc/image-resolver/registries.conf',
        },
      ]);
    }
    folder.write('config.yaml', head);
    folder.write('registries.conf', 'registries: []');
    for (const source of [running, start()])
      expect(await source.current()).toMatchObject({ configuration: { modes: [], hosts: [] }, notices: [] });
  });

  test('finds the state directory in the broken file itself', async () => {
    const folder = operatorFolder();
    const path = folder.write('config.yaml', `${head}interval: 1m\nstate: "${folder.path}/state"\n`);
    const start = () => createOperatorConfigurationSource({ IMAGE_RESOLVER_CONFIG: path }, { files: systemFiles });
    await start().current();
    writeFileSync(path, `${head}state: "${folder.path}/state"\nintervall: 1m\n`);
    expect(await start().current()).toMatchObject(ofInterval(60_000, [kept]));
  });

  test('finds the state directory in a configuration written as JSON', async () => {
    const folder = operatorFolder();
    const text = (rest: object): string =>
      JSON.stringify({
        apiVersion: 'image-resolver.io/v1alpha1',
        kind: 'ResolverConfiguration',
        state: `${folder.path}/state`,
        ...rest,
      });
    const path = folder.write('config.yaml', text({ interval: '1m' }));
    const start = () => createOperatorConfigurationSource({ IMAGE_RESOLVER_CONFIG: path }, { files: systemFiles });
    await start().current();
    writeFileSync(path, text({ intervall: '1m' }));
    expect(await start().current()).toMatchObject(ofInterval(60_000, [kept]));
  });

  test('fails when there never was a valid one', async () => {
    const { start } = setting(broken);
    await expect(start().current()).rejects.toMatchObject({ code: 'OPERATOR_CONFIG_INVALID' });
  });

  test('does not take over what another file said', async () => {
    const { folder, environment, start } = setting(`${head}interval: 1m\n`);
    await start().current();
    const other = folder.write('other.yaml', broken);
    const source = createOperatorConfigurationSource(
      { ...environment, IMAGE_RESOLVER_CONFIG: other },
      { files: systemFiles },
    );
    await expect(source.current()).rejects.toMatchObject({ code: 'OPERATOR_CONFIG_INVALID' });
  });

  test('keeps a broken registries.conf apart from a valid change of the configuration', async () => {
    const { folder, path, environment } = setting(`${head}interval: 1m\n`);
    const conf = folder.write('registries.conf', 'registries: [{name: x, api_url: "https://a.b"}]');
    const start = () =>
      createOperatorConfigurationSource({ ...environment, IMAGE_RESOLVER_REGISTRIES: conf }, { files: systemFiles });
    await start().current();
    writeFileSync(conf, 'registries: [{nam: x}]');
    writeFileSync(path, `${head}interval: 2m\n`);
    for (const source of [start(), start()]) {
      expect(await source.current()).toMatchObject({
        configuration: { intervalMs: 120_000, hosts: [{ host: 'a.b' }] },
        notices: [{ code: 'OPERATOR_CONFIG_KEPT', where: `${conf}:1:14` }],
      });
    }
  });

  test('sees a change that leaves size and times as they were, at the latest in the next process', async () => {
    const { path, start } = setting(`${head}interval: 1m\n`);
    await start().current();
    const { atime, mtime } = statSync(path);
    writeFileSync(path, `${head}interval: 2m\n`);
    utimesSync(path, atime, mtime);
    expect(await start().current()).toMatchObject(ofInterval(120_000));
  });

  test('sees a file that was put in place of the other, as Kubernetes does', async () => {
    const { folder, path, start } = setting(`${head}interval: 1m\n`);
    const source = start();
    await source.current();
    renameSync(folder.write('next.yaml', `${head}interval: 2m\n`), path);
    expect(await source.current()).toMatchObject(ofInterval(120_000));
  });

  test('looks at files but does not read them while nothing changes', async () => {
    const { start } = setting(`${head}interval: 1m\n`);
    const read = vi.fn<FilePorts['read']>((path) => systemFiles.read(path));
    const source = start({ ...systemFiles, read });
    const first = await source.current();
    const reads = read.mock.calls.length;
    expect(await source.current()).toBe(first);
    expect(read).toHaveBeenCalledTimes(reads);
  });

  test('parses an unchanged file once for all processes', async () => {
    const { memory, start } = setting(`${head}interval: 1m\n`);
    await start().current();
    // What is remembered is used: a value that the text does not have shows it.
    writeFileSync(memory, readFileSync(memory, 'utf8').replace('"interval":"1m"', '"interval":"9m"'));
    expect(await start().current()).toMatchObject(ofInterval(540_000));
  });

  test.for([
    { name: 'is damaged', damage: (path: string) => writeFileSync(path, '{"version"') },
    {
      name: 'is of another release',
      damage: (path: string) =>
        writeFileSync(
          path,
          readFileSync(path, 'utf8').replace('"version":"1 ', '"version":"0 ').replace('"1m"', '"9m"'),
        ),
    },
    {
      name: 'could have been written by others',
      damage: (path: string) => {
        writeFileSync(path, readFileSync(path, 'utf8').replace('"interval":"1m"', '"interval":"9m"'));
        chmodSync(path, 0o666);
      },
    },
  ])('parses again when what was remembered $name', async ({ damage }) => {
    const { memory, start } = setting(`${head}interval: 1m\n`);
    await start().current();
    damage(memory);
    expect(await start().current()).toMatchObject(ofInterval(60_000));
  });

  test('remembers for this user alone and leaves nothing else behind', async () => {
    const { state, memory, start } = setting(`${head}interval: 1m\n`);
    await start().current();
    expect(statSync(memory).mode & 0o777).toBe(0o600);
    expect(existsSync(`${memory}.new`)).toBe(false);
    expect(statSync(state).mode & 0o077).toBe(0);
  });

  test('does without memory when the state directory cannot be written to', async () => {
    const { folder, state, start } = setting(`${head}interval: 1m\n`);
    folder.write('state', 'a file where the folder should be');
    expect(await start().current()).toMatchObject(ofInterval(60_000));
    expect(readFileSync(state, 'utf8')).toContain('a file');
  });

  test('does not wait for a writer that was killed, and clears up after it', async () => {
    const { path, state, memory, start } = setting(`${head}interval: 1m\n`);
    mkdirSync(state);
    writeFileSync(`${memory}.new`, 'half');
    await start().current();
    expect(existsSync(memory)).toBe(false); // it may still be at work
    utimesSync(`${memory}.new`, 0, 0);
    writeFileSync(path, `${head}interval: 2m\n`);
    await start().current();
    expect(existsSync(`${memory}.new`)).toBe(false);
    expect(readFileSync(memory, 'utf8')).toContain('2m');
  });
});
