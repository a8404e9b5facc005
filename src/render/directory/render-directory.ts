import type { Notice } from '../../error/user-error.ts';
import type { Rendered } from '../render-spec.ts';
import type { RenderOptions } from '../render-options.ts';
import { decodeText } from './decode-text.ts';
import { jsonDocument } from './json-file.ts';
import { findManifestFiles, type ManifestFile } from './manifest-files.ts';

/**
 * The manifests of a plain directory as Argo CD's directory source reads them, each file's documents as they are, `---`
 * between files. Nothing found is an empty text.
 *
 * @throws {UserError} `MANIFEST_INVALID`, `FILE_NOT_UTF8`, `FILE_TOO_LARGE`, `PATH_OUTSIDE_TREE`, `FILTER_INVALID`,
 *   `RENDERER_MISSING` for a jsonnet file without a `jsonnet`, and what running it throws.
 */
export async function renderDirectory(options: RenderOptions): Promise<Rendered> {
  const { files, notices } = await findManifestFiles(options.root, options.spec.directory);
  const evaluate = await jsonnetFor(files, options);
  const texts: string[] = [];
  const said: Notice[] = [...notices];
  for (const file of files) {
    const text = decodeText(file.content, file.name);
    switch (file.kind) {
      case 'json':
        texts.push(jsonDocument(text, file.name));
        break;
      case 'yaml':
        if (await holdsObjects(text, file.name)) texts.push(text);
        break;
      case 'jsonnet': {
        const evaluated = await evaluate(file);
        texts.push(...evaluated.documents);
        said.push(...evaluated.notices);
        break;
      }
      default:
        file.kind satisfies never;
    }
  }
  return { text: joinDocuments(texts), notices: said };
}

/** A text without the word, also in escapes, has no object with a kind, and the parser need not be loaded for it. */
async function holdsObjects(text: string, name: string): Promise<boolean> {
  if (!text.includes('kind') && !text.includes('\\')) return false;
  const yamlFile = await import('./yaml-file.ts');
  return yamlFile.holdsObjects(text, name);
}

type Evaluate = (file: ManifestFile) => Promise<{
  readonly documents: readonly string[];
  readonly notices: readonly Notice[];
}>;

async function jsonnetFor(files: readonly ManifestFile[], options: RenderOptions): Promise<Evaluate> {
  if (files.some((file) => file.kind === 'jsonnet')) {
    const { prepareJsonnet } = await import('./jsonnet.ts');
    return prepareJsonnet(options);
  }
  return () => Promise.reject(new Error('there is no jsonnet file'));
}

const SEPARATOR_FIRST = /^---[ \t]*(?:#[^\n]*)?\r?(?:\n|$)/;

/** Puts `---` between texts where the next one does not begin with it by itself; one text alone stays as it is. */
function joinDocuments(texts: readonly string[]): string {
  let joined = texts[0] ?? '';
  for (const text of texts.slice(1)) {
    if (!joined.endsWith('\n')) joined += '\n';
    joined += SEPARATOR_FIRST.test(text) ? text : `---\n${text}`;
  }
  return joined;
}
