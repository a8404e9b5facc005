/** One character after `$` that Go's `os.Expand` takes for a whole name. */
const SPECIAL = '*#$@!?-0123456789';
const NAME = /[A-Za-z0-9_]+/y;

/**
 * `$NAME` and `${NAME}` replaced as Argo CD does it (Go's `os.Expand`): an unknown name becomes nothing, `$$` is a dollar
 * sign, a `$` that begins no name stays, `${` without an end is eaten.
 *
 * @see https://argo-cd.readthedocs.io/en/stable/user-guide/build-environment/
 */
export function substituteVariables(text: string, variables: Readonly<Record<string, string>>): string {
  const valueOf = (name: string): string => {
    if (name === '$') return '$';
    return Object.hasOwn(variables, name) ? (variables[name] ?? '') : '';
  };
  const lastBrace = text.lastIndexOf('}');
  const parts: string[] = [];
  let copied = 0;
  for (let at = text.indexOf('$'); at !== -1 && at + 1 < text.length; at = text.indexOf('$', copied)) {
    parts.push(text.slice(copied, at));
    const next = text.charAt(at + 1);
    if (next === '{') {
      const end = lastBrace > at ? text.indexOf('}', at + 2) : -1;
      if (end !== -1) parts.push(valueOf(text.slice(at + 2, end)));
      copied = end === -1 ? at + 2 : end + 1;
    } else if (SPECIAL.includes(next)) {
      parts.push(valueOf(next));
      copied = at + 2;
    } else {
      NAME.lastIndex = at + 1;
      const name = NAME.exec(text)?.[0];
      parts.push(name === undefined ? '$' : valueOf(name));
      copied = at + 1 + (name?.length ?? 0);
    }
  }
  parts.push(text.slice(copied));
  return parts.join('');
}
