/** A document of a YAML file, as Kubernetes' reader cuts it. */
export interface YamlDocument {
  readonly text: string;
  /** Where it begins in the file. */
  readonly offset: number;
  /** What follows `---` on the line before it, when that is more than a comment: an error to Kubernetes' reader. */
  readonly badSeparator?: string;
}

/**
 * Cuts a YAML file at lines that begin with `---`, wherever they stand, as Kubernetes and so Argo CD do: unlike YAML itself,
 * `--- {a: b}` is an error there.
 *
 * @see https://github.com/kubernetes/apimachinery/blob/v0.34.0/pkg/util/yaml/decoder.go `YAMLReader`
 */
export function* splitYamlDocuments(text: string): Generator<YamlDocument> {
  let badSeparator: string | undefined;
  let offset = 0;
  while (offset <= text.length) {
    const separator = text.startsWith('---', offset) ? offset : separatorAfter(text, offset);
    const end = separator === -1 ? text.length : separator;
    yield { text: text.slice(offset, end), offset, ...(badSeparator === undefined ? {} : { badSeparator }) };
    if (separator === -1) return;
    const lineEnd = text.indexOf('\n', separator);
    const behind = text.slice(separator + 3, lineEnd === -1 ? text.length : lineEnd).trim();
    badSeparator = behind === '' || behind.startsWith('#') ? undefined : behind;
    offset = lineEnd === -1 ? text.length : lineEnd + 1;
    if (lineEnd === -1 && badSeparator === undefined) return;
  }
}

/** Where the next line begins that starts with `---`. */
function separatorAfter(text: string, offset: number): number {
  const found = text.indexOf('\n---', offset);
  return found === -1 ? -1 : found + 1;
}
