import type { RequestFacts } from './errors.ts';
import { header } from './http.ts';
import type { HttpAnswer } from './transport.ts';

/**
 * Public registries that hold nothing themselves and send every manifest and listing on: registry.k8s.io to an Artifact
 * Registry of the caller's region.
 *
 * @see https://github.com/kubernetes/registry.k8s.io/blob/main/cmd/archeio/docs/request-handling.md
 */
const FRONT_DOORS: Readonly<Record<string, RegExp>> = {
  'registry.k8s.io': /^[a-z0-9-]+-docker\.pkg\.dev$/,
};

/**
 * Where such a registry keeps what was asked; undefined for every other redirect, which goes nowhere. One hop, for anonymous
 * requests, to known hosts.
 */
export function behindFrontDoor(facts: RequestFacts, answer: HttpAnswer): URL | undefined {
  const hosts = FRONT_DOORS[facts.url.hostname];
  const location = header(answer, 'location');
  if (hosts === undefined || location === undefined || facts.credentialsSent || facts.asked === 'blob')
    return undefined;
  if (answer.status < 300 || answer.status >= 400 || !URL.canParse(location, facts.url)) return undefined;
  const url = new URL(location, facts.url);
  url.username = '';
  url.password = '';
  return hosts.test(url.hostname) ? url : undefined;
}
