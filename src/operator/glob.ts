import { parsed, type Parsed } from '../error/parsed.ts';
import { parseGlob } from '../strategy/glob.ts';

/** A glob as Go's `filepath.Match`, where `*` stays within one path segment; with `/**` at its end it is everything below. */
export function compilePathGlob(pattern: string): Parsed<(path: string) => boolean> {
  const isTree = pattern.endsWith('/**');
  const base = isTree ? pattern.slice(0, -'/**'.length) : pattern;
  const glob = parseGlob(base);
  if (!glob.ok) return glob;
  if (!isTree) return parsed((path) => glob.value.matches(path));
  const depth = base.split('/').length;
  return parsed((path) => {
    const segments = path.split('/');
    return segments.length > depth && glob.value.matches(segments.slice(0, depth).join('/'));
  });
}

/** Whether a text matches one of several globs, which were checked when the configuration was read. */
export function matchesAny(globs: readonly string[], text: string): boolean {
  return globs.some((glob) => matchesGlob(glob, text));
}

/** Whether a text matches a glob that was checked when the configuration was read. */
export function matchesGlob(glob: string, text: string): boolean {
  const compiled = compilePathGlob(glob);
  return compiled.ok && compiled.value(text);
}
