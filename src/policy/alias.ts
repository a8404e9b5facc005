import { parsed, type Parsed, unparsed } from '../error/parsed.ts';

const ALIAS = /^[a-zA-Z0-9][a-zA-Z0-9._-]{0,127}$/;
/** An alias as argocd-image-updater also takes it: `/` reads as `_` in the names of its settings. */
const ALIAS_WITH_SLASH = /^[a-zA-Z0-9][a-zA-Z0-9._/-]{0,127}$/;

/** Checks an alias that stands by itself. */
export function parseAlias(text: string): Parsed<string> {
  if (ALIAS.test(text)) return parsed(text);
  return unparsed(
    'is no alias',
    'begin with a letter or digit, go on with letters, digits, ".", "_" and "-", 128 characters at most',
  );
}

/**
 * The alias before the first `=` of `[alias=]reference`, and the rest. When that is not of the form of an alias, the whole is
 * a reference: the `=` of `nginx:>=1.0` belongs to its constraint.
 */
export function splitAlias(text: string): { readonly alias?: string; readonly reference: string } {
  const equals = text.indexOf('=');
  const alias = text.slice(0, Math.max(0, equals)).trim();
  if (!ALIAS_WITH_SLASH.test(alias)) return { reference: text };
  return { alias: alias.replaceAll('/', '_'), reference: text.slice(equals + 1).trim() };
}
