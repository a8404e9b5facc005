const SHOWN_PARAMETERS: ReadonlySet<string> = new Set(['n', 'last', 'service', 'scope']);
const MAX_LENGTH = 300;

/**
 * A URL as messages may show it: without user and password, with only those query parameters that hold no secret (signed
 * blob URLs have secrets there), control characters escaped, bounded.
 */
export function shownUrl(url: URL): string {
  const shown = new URL(url);
  shown.username = '';
  shown.password = '';
  shown.hash = '';
  for (const name of new Set(url.searchParams.keys())) if (!SHOWN_PARAMETERS.has(name)) shown.searchParams.delete(name);
  return shown.href.length > MAX_LENGTH ? `${shown.href.slice(0, MAX_LENGTH)}…` : shown.href;
}
