/** One challenge of a `WWW-Authenticate` header that this client can answer. */
export type Challenge =
  | { readonly kind: 'basic' }
  | {
      readonly kind: 'bearer';
      readonly realm: string;
      /** Absent when the registry sends none (some private ones). */
      readonly service?: string;
    };

/** token68 and token characters of RFC 9110, read greedily. */
const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z/=:]+/y;

/**
 * The Basic and Bearer challenges of all `WWW-Authenticate` headers, in the order they were sent. Reads what registries
 * send in the wild: several challenges in one header (`Bearer realm="https://codeberg.org/v2/token",service="container_registry",
 * Basic realm="Gitea Container Registry"`), one per header, parameters without quotes, any letter case. A Bearer challenge
 * without realm is left out, and so is every other scheme.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1
 */
export function parseChallenges(headers: readonly string[]): readonly Challenge[] {
  return headers.flatMap((header) => readSchemes(header)).flatMap((scheme) => asChallenge(scheme));
}

interface Scheme {
  readonly name: string;
  readonly parameters: Map<string, string>;
}

function asChallenge({ name, parameters }: Scheme): readonly Challenge[] {
  if (name === 'basic') return [{ kind: 'basic' }];
  const realm = parameters.get('realm');
  if (name !== 'bearer' || realm === undefined) return [];
  const service = parameters.get('service');
  return [{ kind: 'bearer', realm, ...(service === undefined ? {} : { service }) }];
}

/** A word followed by `=` is a parameter of the scheme before it; any other word begins a scheme. */
function readSchemes(header: string): readonly Scheme[] {
  const schemes: Scheme[] = [];
  let at = 0;
  while (at < header.length) {
    const word = wordAt(header, at);
    if (word === '') {
      at += 1; // a comma, a space, or something no registry sends
      continue;
    }
    const equals = word.indexOf('=');
    if (equals <= 0) {
      schemes.push({ name: word.toLowerCase(), parameters: new Map() });
      at += word.length;
      continue;
    }
    const name = word.slice(0, equals).toLowerCase();
    const value = valueAt(header, at + equals + 1);
    // The first wins: a second realm in one challenge is no reason to go elsewhere.
    const { parameters } = schemes.at(-1) ?? { parameters: new Map<string, string>() };
    if (!parameters.has(name)) parameters.set(name, value.text);
    at = value.end;
  }
  return schemes;
}

function valueAt(header: string, start: number): { readonly text: string; readonly end: number } {
  if (header[start] !== '"') {
    const text = wordAt(header, start);
    return { text, end: start + text.length };
  }
  let text = '';
  let at = start + 1;
  while (at < header.length && header[at] !== '"') {
    if (header[at] === '\\') at += 1; // quoted-pair: the next character as it is
    text += header[at] ?? '';
    at += 1;
  }
  return { text, end: at + 1 };
}

function wordAt(header: string, start: number): string {
  TOKEN.lastIndex = start;
  return TOKEN.exec(header)?.[0] ?? '';
}
