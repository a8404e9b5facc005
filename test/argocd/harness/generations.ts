import { chmod, readFile, writeFile } from 'node:fs/promises';
import { parse, stringify } from 'yaml';

/** One call of `image-resolver generate` by argocd-cmp-server. */
export interface Generation {
  /** `ARGOCD_APP_NAME`: `<name>`, or `<namespace>_<name>` outside of Argo CD's own namespace. */
  readonly application: string;
  readonly revision: string;
  readonly path: string;
  /** Unix time in milliseconds. */
  readonly startedAt: number;
  /** Undefined while it runs, and when it was killed. */
  readonly endedAt?: number;
  readonly exitCode?: number;
}

const COUNTED = `#!/usr/bin/env bash
# Notes the beginning and the end of a generation, one line each: short appends are whole.
started=$EPOCHREALTIME
printf 'start %s %s %s %s %s\\n' "$$" "$started" "$ARGOCD_APP_NAME" "$ARGOCD_APP_REVISION" "\${ARGOCD_APP_SOURCE_PATH:-.}" >> "$GENERATIONS_LOG"
"$@"
code=$?
printf 'end %s %s %s %s\\n' "$$" "$started" "$EPOCHREALTIME" "$code" >> "$GENERATIONS_LOG"
exit $code
`;

/** plugin.yaml as it is shipped, with a wrapper that notes each generation in the file \`GENERATIONS_LOG\` names. */
export async function countedPlugin(pluginYaml: string, wrapper: string): Promise<string> {
  await writeFile(wrapper, COUNTED);
  await chmod(wrapper, 0o755);
  const plugin = parse(pluginYaml) as { readonly spec: { readonly generate: { command: readonly string[] } } };
  plugin.spec.generate.command = [wrapper, ...plugin.spec.generate.command];
  return stringify(plugin);
}

/** Everything the wrapper noted in a file, in the order of the beginnings. */
export async function readGenerations(file: string): Promise<readonly Generation[]> {
  const started = new Map<string, Generation>();
  for (const line of (await readFile(file, 'utf8')).split('\n')) {
    const [word, pid, begin = '', ...rest] = line.split(' ');
    const key = `${pid} ${begin}`;
    if (word === 'start') {
      const [application = '', revision = '', path = ''] = rest;
      started.set(key, { application, revision, path, startedAt: millisecondsOf(begin) });
    } else if (word === 'end') {
      const [end = '', code] = rest;
      const generation = started.get(key);
      if (generation !== undefined)
        started.set(key, { ...generation, endedAt: millisecondsOf(end), exitCode: Number(code) });
    }
  }
  return [...started.values()];
}

function millisecondsOf(seconds: string): number {
  return Math.round(Number(seconds) * 1000);
}
