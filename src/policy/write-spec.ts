import { parseRepository } from '../image/reference.ts';
import { unparsed } from '../error/parsed.ts';
import { parseValuePath } from '../render/helm/value-path.ts';
import type { Target, WriteSpec } from './image-policy.ts';
import { oneOf } from './one-of.ts';
import type { SettingName } from './settings.ts';
import { taken, type Written, type WrittenSettings, wrongValue } from './written.ts';

/**
 * How and where a chosen image is written: output, and targets that act before rendering.
 *
 * @throws {UserError} `SETTING_INVALID`.
 */
export function writeSpecFrom(settings: WrittenSettings): WriteSpec {
  const output = oneOf(settings, 'output', ['tag', 'digest', 'tag@digest']);
  const target = targetFrom(settings);
  return { ...(output !== undefined && { output }), ...(target !== undefined && { target }) };
}

/** Where argocd-image-updater writes a tag when it is told only where the repository goes. */
const DEFAULT_TAG_PATH = 'image.tag';

function targetFrom(settings: WrittenSettings): Target | undefined {
  const [kustomize] = settings.get('kustomize.image-name') ?? [];
  const spec = valuePath(settings, 'helm.image-spec');
  const name = valuePath(settings, 'helm.image-name');
  const tag = valuePath(settings, 'helm.image-tag');
  if (kustomize === undefined) {
    // The same as in argocd-image-updater: a value for the whole image makes the two others idle.
    if (spec !== undefined) return { kind: 'helm-spec', spec };
    if (name === undefined && tag === undefined) return undefined;
    return { kind: 'helm', ...(name !== undefined && { name }), tag: tag ?? DEFAULT_TAG_PATH };
  }
  if (spec !== undefined || name !== undefined || tag !== undefined) {
    throw wrongValue('kustomize.image-name', kustomize, 'stands beside a helm target of the same image', {
      fix: 'leave one of the two: an application is rendered by one tool',
    });
  }
  return { kind: 'kustomize', name: kustomizeName(kustomize) };
}

function valuePath(settings: WrittenSettings, name: SettingName): string | undefined {
  const [written] = settings.get(name) ?? [];
  if (written === undefined) return undefined;
  const text = written.text.trim();
  taken(name, written, text === '' ? unparsed('is empty') : parseValuePath(text));
  return text;
}

/** kustomize matches on the name as it stands in the base, which need not be an image that exists (`APP_IMAGE`). */
function kustomizeName(written: Written): string {
  const text = written.text.trim();
  const isName = /^[^\s=@,:-][^\s=@,:]{0,254}$/.test(text) || parseRepository(text).ok;
  if (isName) return text;
  throw wrongValue('kustomize.image-name', written, 'is no name of an image', {
    fix: 'write the name as it stands in the manifests of the base, without tag',
  });
}
