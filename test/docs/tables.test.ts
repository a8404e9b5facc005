// The tables of the pages are those of the program.
import { globSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ERROR_CODES } from '../../src/error/codes.ts';
import { parseConstraint, satisfies } from '../../src/image/constraint.ts';
import { parseVersion } from '../../src/image/version.ts';
import { configurationSchema } from '../../src/operator/configuration-schema.ts';
import { completeConfiguration } from '../../src/operator/complete-configuration.ts';
import { PRESET_HOSTS } from '../../src/operator/presets.ts';
import { describeParameter, PARAMETER_NAMES } from '../../src/parameters/catalog.ts';
import { UNAVAILABLE_FEATURES, unavailableFeature } from '../../src/parameters/native-features.ts';
import { describeSetting, isAllowedIn, SETTING_NAMES } from '../../src/policy/settings.ts';
import { manifest } from './cluster-objects.ts';
import { fieldsList, fieldsOf } from './fields.ts';
import { codesIn, headingsOf, pages, PROJECT, proseOf, tableOf, textOf } from './markdown.ts';

describe('docs/errors.md', () => {
  const codes = Object.keys(ERROR_CODES).sort();
  const sections = headingsOf('docs/errors.md').filter((heading) => /^[A-Z][A-Z0-9_]+$/.test(heading));

  test('has each code once, and no other', () => {
    expect(sections.toSorted()).toEqual(codes);
  });

  test.for(Object.entries(ERROR_CODES).map(([code, sentence]) => ({ code, sentence })))(
    'begins $code with its meaning, and says what to do',
    ({ code, sentence }) => {
      const section =
        proseOf('docs/errors.md').split(`\n### ${code}\n`)[1]?.split('\n## ')[0]?.split('\n### ')[0] ?? '';
      const words = (text: string): string =>
        text
          .replaceAll(/[^A-Za-z0-9]+/g, ' ')
          .trim()
          .toLowerCase();
      expect(words(section.replaceAll('`', ''))).toContain(words(sentence.split(/[;(]/)[0] ?? '').slice(0, 40));
      expect(section).toContain('**Cure**');
    },
  );
});

test('codes that pages speak of exist', () => {
  const known = new Set(Object.keys(ERROR_CODES));
  const inText = pages().flatMap((page) => [
    ...textOf(page).matchAll(/^([A-Z]+_[A-Z0-9_]+) {2}|warning: ([A-Z0-9_]+) /gm),
  ]);
  const inLinks = pages().flatMap((page) => [...textOf(page).matchAll(/\[([A-Z]+(?:_[A-Z0-9]+)*)\]\([^)]*\)/g)]);
  const spoken = [...inText, ...inLinks].map(([, one, other]) => one ?? other ?? '');
  expect(spoken.length).toBeGreaterThan(10);
  expect(spoken.filter((code) => !known.has(code) && !['RE2'].includes(code))).toEqual([]);
});

test('docs/rendering.md lists the parameters with their types and native names', () => {
  const rows = tableOf('docs/rendering.md', 'parameters').map(([name = '', type = '', native = '']) => ({
    name: codesIn(name)[0],
    types: type
      .replaceAll(/`true`\/`false`/g, '')
      .trim()
      .split(' or '),
    flag: type.includes('`true`'),
    native: native === '–' ? '' : native.replaceAll('`', ''),
  }));
  const wanted = PARAMETER_NAMES.map((name) => {
    const { types = [], flag, native } = describeParameter(name) ?? {};
    return { name, types, flag: flag === true, native };
  });
  expect(rows).toEqual(wanted);
});

test('docs/rendering.md lists the native features that are not there', () => {
  const rows = tableOf('docs/rendering.md', 'native').map(([name = '', why, instead]) => [
    codesIn(name)[0],
    why,
    instead,
  ]);
  expect(rows).toEqual(
    UNAVAILABLE_FEATURES.map((name) => [name, unavailableFeature(name)?.why, unavailableFeature(name)?.instead]),
  );
});

test('docs/policies.md lists the settings with aliases, keys of the file and places', () => {
  const rows = tableOf('docs/policies.md', 'settings').flatMap(([names = '', key = '', annotations]) => {
    const [name = '', ...others] = codesIn(names);
    // Settings without meaning share a row.
    const single = (one: string, aliases: readonly string[]): object => ({
      name: one,
      aliases,
      key: codesIn(key)[0],
      annotations,
    });
    return SETTING_NAMES.includes(others[0] as never)
      ? [name, ...others].map((one) => single(one, []))
      : [single(name, others)];
  });
  const wanted = SETTING_NAMES.map((name) => {
    const { aliases = [], fileKey } = describeSetting(name);
    const [group = '', part = ''] = name.split('.image-');
    const key =
      fileKey === undefined || part === '' ? fileKey : `${group}.image${part[0]?.toUpperCase()}${part.slice(1)}`;
    return { name, aliases, key, annotations: isAllowedIn(name, 'annotation') ? 'yes' : 'no' };
  });
  expect(rows).toEqual(wanted);
});

describe('docs/configuration.md', () => {
  /** What objects, arrays and optional values of valibot have. */
  interface Parts {
    readonly entries?: Readonly<Record<string, Parts>>;
    readonly item?: Parts;
    readonly wrapped?: Parts;
    readonly pipe?: readonly Parts[];
  }
  const keysOf = (schema: unknown, deep: boolean): readonly string[] => {
    const { entries = {} } = unwrapped(schema as Parts);
    return Object.entries(entries).flatMap(([key, value]) => {
      const inner = deep ? keysOf(value, true) : [];
      return inner.length === 0 ? [key] : inner.map((one) => `${key}.${one}`);
    });
  };
  function unwrapped(parts: Parts): Parts {
    if (parts.wrapped !== undefined) return unwrapped(parts.wrapped);
    return parts.entries === undefined && parts.pipe?.[0] !== undefined && parts.pipe[0] !== parts
      ? unwrapped(parts.pipe[0])
      : parts;
  }
  const keys = keysOf(configurationSchema, true);

  test('lists every key', () => {
    const rows = tableOf('docs/configuration.md', 'configuration').flatMap(([name = '']) => codesIn(name));
    expect(rows.toSorted()).toEqual(keys.toSorted());
  });

  test.for([
    { table: 'registry', path: ['registries', 'hosts'] },
    { table: 'modes', path: ['modes'] },
  ])('lists every key of $table', ({ table, path }) => {
    let at = configurationSchema as unknown as Parts;
    for (const key of path) at = unwrapped(at).entries?.[key] ?? {};
    const rows = tableOf('docs/configuration.md', table).flatMap(([name = '']) => codesIn(name));
    expect(rows).toEqual(keysOf(unwrapped(at).item, false));
  });

  test('has the defaults of the program', () => {
    const defaults = new Map(
      tableOf('docs/configuration.md', 'configuration').map(([name = '', value = '']) => [
        codesIn(name)[0],
        codesIn(value),
      ]),
    );
    const complete = completeConfiguration({}, [], {});
    expect(defaults.get('interval')).toEqual([`${complete.intervalMs / 1000}s`]);
    expect(defaults.get('minimumInterval')).toEqual([`${complete.minimumIntervalMs / 1000}s`]);
    expect(defaults.get('budget')).toEqual([`${complete.budgetMs / 1000}s`]);
    expect(defaults.get('state')).toEqual([complete.stateDirectory]);
    expect(defaults.get('dockerConfig')).toEqual([complete.dockerConfig]);
    expect(defaults.get('secretsDirectory')).toEqual([complete.secretsDirectory]);
    expect(defaults.get('controlPlaneNamespace')).toEqual([complete.controlPlaneNamespace]);
    expect(defaults.get('credentialHelpers.environment')).toEqual(complete.credentialHelpers.environment);
    expect(defaults.get('credentialHelpers.timeout')).toEqual([`${complete.credentialHelpers.timeoutMs / 1000}s`]);
    expect(defaults.get('rendering.remoteSources.hosts')).toEqual([JSON.stringify(complete.rendering.remoteHosts)]);
    expect(defaults.get('rendering.gitCredentials')).toEqual([String(complete.rendering.gitCredentials)]);
    for (const place of ['parameters', 'file', 'annotations'] as const) {
      expect(defaults.get(`unmatchedPolicy.${place}`)).toEqual([complete.unmatchedPolicy[place]]);
    }
  });
});

test('docs/registries.md names the preset hosts', () => {
  const preset = textOf('docs/registries.md').split('`presets`:')[1]?.split('. `"*"`')[0] ?? '';
  expect(codesIn(preset)).toEqual(PRESET_HOSTS);
});

describe('the constraints of docs/strategies.md', () => {
  const rows = textOf('docs/strategies.md')
    .split('| write | means | takes | does not take |\n')[1]
    ?.split('\n\n')[0]
    ?.split('\n')
    .slice(1)
    .map((line) => line.slice(1, -1).split(/(?<!\\)\|/));
  test.for((rows ?? []).map(([write = '', , takes = '', refuses = '']) => ({ write, takes, refuses })))(
    'write $write take $takes and not $refuses',
    ({ write, takes, refuses }) => {
      const constraints = codesIn(write.replaceAll(String.raw`\|`, '|'));
      expect(constraints.length).toBeGreaterThan(0);
      for (const text of [...constraints, ...(write.includes('nothing') ? [''] : [])]) {
        const constraint = parseConstraint(text);
        const admits = (tag: string): boolean => {
          const version = parseVersion(tag);
          return constraint.ok && version !== undefined && satisfies(constraint.value, version);
        };
        expect(
          codesIn(takes).filter((tag) => !admits(tag)),
          `${text} takes`,
        ).toEqual([]);
        expect(codesIn(refuses).filter(admits), `${text} does not take`).toEqual([]);
      }
    },
  );
});

/** The words of `export type <name> = 'a' | 'b'` in a file of src. */
function wordsOf(file: string, name: string): readonly string[] {
  const text = readFileSync(join(PROJECT, 'src', file), 'utf8');
  const union = new RegExp(`export type ${name} =([^;]+);`).exec(text)?.[1] ?? '';
  return [...union.matchAll(/'([^']+)'/g)].map(([, word = '']) => word);
}

/** The codes of one column of a table, by default the first. */
function column(page: string, table: string, index = 0): readonly string[] {
  return tableOf(page, table).flatMap((row) => codesIn(row[index] ?? ''));
}

describe('docs/controller.md', () => {
  test('has every reason of an Event', () => {
    const reasons = wordsOf('refresh/messages.ts', 'EventReason');
    expect(reasons.length).toBeGreaterThan(5);
    expect(column('docs/controller.md', 'events').toSorted()).toEqual(reasons.toSorted());
  });

  test('has every condition', () => {
    const conditions = wordsOf('refresh/refresher.ts', 'ApplicationCondition');
    expect(conditions.length).toBeGreaterThan(3);
    expect(column('docs/controller.md', 'conditions').toSorted()).toEqual(conditions.toSorted());
  });

  test('has every event of the log with its level', () => {
    const sources = globSync('src/**/*.ts', { cwd: PROJECT }).map((file) => readFileSync(join(PROJECT, file), 'utf8'));
    const logged = sources.flatMap((text) =>
      [...text.matchAll(/\blog\.(info|warning|error)\(\s*([^,)\s]+)/g)].map(([, level, event]) => ({
        event: event?.replaceAll("'", ''),
        level,
      })),
    );
    expect(logged.length).toBeGreaterThan(30);
    const told = tableOf('docs/controller.md', 'log').flatMap(([events = '', levels = '']) => {
      const words = levels.split(', ');
      return codesIn(events).map((event, index) => ({ event, level: words[index] ?? words[0] }));
    });
    const sorted = (lines: typeof logged): readonly string[] =>
      [...new Set(lines.map(({ event, level }) => `${event} ${level}`))].sort();
    expect(sorted(told)).toEqual(sorted(logged));
    expect(told.length).toBe(sorted(told).length);
  });

  const ports = tableOf('docs/controller.md', 'ports').map(([port = '', name = '', service = '']) => ({
    port: Number(codesIn(port)[0]),
    name: codesIn(name)[0] ?? '',
    service: codesIn(service),
  }));

  test('has the ports of the Deployment', () => {
    const [deployment] = manifest('deployment.yaml');
    const template = fieldsOf(fieldsOf(fieldsOf(deployment?.['spec'])['template'])['spec']);
    const declared = fieldsList(template['containers']).flatMap((container) => fieldsList(container['ports']));
    const byName = (one: { readonly name: string }, other: { readonly name: string }): number =>
      one.name < other.name ? -1 : 1;
    expect(ports.map(({ name, port }) => ({ name, containerPort: port })).toSorted(byName)).toEqual(
      declared.map(({ name, containerPort }) => ({ name: String(name), containerPort })).toSorted(byName),
    );
  });

  test('has the Services of these ports', () => {
    const services = manifest('service.yaml').flatMap(({ metadata, spec }) =>
      fieldsList(fieldsOf(spec)['ports']).map(({ targetPort, port }) => ({
        name: targetPort,
        service: [fieldsOf(metadata)['name'], String(port)],
      })),
    );
    expect(ports.filter(({ service }) => service.length > 0).map(({ name, service }) => ({ name, service }))).toEqual(
      services,
    );
  });

  test('has the default ports of the command, as its help tells them', () => {
    const help = textOf('docs/command-line.md').split('$ image-resolver controller --help\n')[1]?.split('```')[0] ?? '';
    const defaults = ports.map(({ name }) => {
      const option = new RegExp(`--${name.replace(/s$/, '')}s?-port <port>[^]*?default: (\\d+)`);
      return { name, port: Number(option.exec(help)?.[1]) };
    });
    expect(ports.map(({ name, port }) => ({ name, port }))).toEqual(defaults);
  });
});

test('docs/configuration.md has every variable that the program and the entry point read', () => {
  const files = globSync(['src/**/*.ts', 'plugin/entrypoint.sh'], { cwd: PROJECT });
  const sources = files.map((file) => readFileSync(join(PROJECT, file), 'utf8'));
  const read = sources.flatMap((text) =>
    [...text.matchAll(/['{](IMAGE_RESOLVER_[A-Z_]+)\b/g)].map(([, name = '']) => name),
  );
  // The version is set by the build.
  const variables = [...new Set(read)].filter((name) => name !== 'IMAGE_RESOLVER_VERSION');
  expect(variables.length).toBeGreaterThan(4);
  const told = column('docs/configuration.md', 'environment').filter((name) => name.startsWith('IMAGE_RESOLVER_'));
  expect(told.toSorted()).toEqual(variables.toSorted());
});

describe('docs/troubleshooting.md', () => {
  test.for([
    { table: 'refresh reasons', file: 'refresh/verdict.ts' },
    { table: 'controller messages', file: 'remote/controller-fault.ts' },
  ])('has the words of the program in the table of $table', ({ table, file }) => {
    const source = readFileSync(join(PROJECT, 'src', file), 'utf8');
    const messages = column('docs/troubleshooting.md', table).map((message) => message.replace(/ ?…$/, ''));
    expect(messages.length).toBeGreaterThan(4);
    expect(messages.filter((message) => !source.includes(message))).toEqual([]);
  });
});

describe('docs/architecture.md', () => {
  test('has every folder of src', () => {
    const folders = readdirSync(join(PROJECT, 'src')).map((name) => `src/${name}`);
    expect(column('docs/architecture.md', 'folders').toSorted()).toEqual(folders.toSorted());
  });

  test('has every dependency', () => {
    const { dependencies } = JSON.parse(textOf('package.json')) as { readonly dependencies: object };
    const told = column('docs/architecture.md', 'dependencies').filter((name) => !name.startsWith('node:'));
    expect(told.toSorted()).toEqual(Object.keys(dependencies).toSorted());
  });
});
