/** Where the next page of a listing is, or why the header is not to be followed. */
export type NextPage =
  | { readonly kind: 'last' }
  | { readonly kind: 'next'; readonly url: URL }
  | { readonly kind: 'elsewhere'; readonly problem: string };

/**
 * Reads `Link: <…>; rel="next"` of a tag listing. Only its query is ever used, on the URL that was asked: a registry behind
 * a proxy may name itself by http, and Artifactory leaves out what stands before the image's own name
 * (`</v2/img/tags/list?last=b&n=2>` for `/v2/docker-virtual/img/tags/list`, renovatebot/renovate lib/modules/datasource/docker).
 * A link to another host or another repository is refused all the same: such a registry is not to be trusted.
 *
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-tags
 */
export function nextPage(headers: readonly string[], asked: URL): NextPage {
  const target = headers.map((header) => nextTarget(header)).find((found) => found !== undefined);
  if (target === undefined) return { kind: 'last' };
  if (!URL.canParse(target, asked)) return { kind: 'elsewhere', problem: 'its Link header holds no URL' };
  const linked = new URL(target, asked);
  if (linked.host !== asked.host) return { kind: 'elsewhere', problem: 'its Link header leads to another host' };
  if (!asked.pathname.endsWith(ownPart(linked.pathname))) {
    return { kind: 'elsewhere', problem: 'its Link header leads to another repository' };
  }
  const url = new URL(asked);
  url.search = linked.search;
  return { kind: 'next', url };
}

/** `/img/tags/list` of `/v2/img/tags/list`. Without `/v2` in front it is no listing, and then it matches nothing of ours. */
function ownPart(pathname: string): string {
  const at = pathname.indexOf('/v2/');
  return at === -1 || !pathname.endsWith('/tags/list') ? '/ no listing' : pathname.slice(at + '/v2'.length);
}

/** The target of the first link with relation `next`; several links may stand in one header. */
function nextTarget(header: string): string | undefined {
  let at = 0;
  for (;;) {
    const open = header.indexOf('<', at);
    const close = header.indexOf('>', open);
    if (open === -1 || close === -1) return undefined;
    const following = header.indexOf('<', close);
    const parameters = header.slice(close + 1, following === -1 ? undefined : following);
    if (/;\s*rel\s*=\s*"?next\b/i.test(parameters)) return header.slice(open + 1, close);
    at = close;
  }
}
