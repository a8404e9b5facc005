import { styleText } from 'node:util';
import type { ImageReport } from '../generate/image-report.ts';
import { policyInWords } from '../resolve/policy-in-words.ts';
import type { Resolution } from '../resolve/resolver.ts';

/** Rejected tags that are shown; `--json` has more. */
const SHOWN_REJECTIONS = 10;
const SHOWN_CANDIDATES = 5;

/** What `explain` prints for people: a paragraph an image. */
export function explanationText(images: readonly ImageReport[]): string {
  if (images.length === 0) return 'no image in the rendered manifests\n';
  return `${images.map(paragraph).join('\n\n')}\n`;
}

function paragraph({ field, policy, shadowed, resolution }: ImageReport): string {
  const lines: string[] = [];
  const add = (label: string, text: string): void => void lines.push(`  ${styled('dim', label.padEnd(9))} ${text}`);
  if (field === undefined) {
    lines.push(styled('bold', `policy ${policy?.alias ?? ''} matches no image`));
  } else {
    const { resource, container, path, line } = field;
    const place = container === undefined ? path : `container ${container}`;
    lines.push(`${styled('bold', `${resource.kind}/${resource.name}`)} ${place} (line ${line})`);
    if (field.setByTarget) add('rendered', `${field.written} (a target sets it before rendering)`);
    else add('in Git', field.written);
    add('becomes', field.becomes === field.written ? 'the same' : styled('green', field.becomes));
  }
  if (policy === undefined) {
    add('policy', 'none: the image passes as written');
    return lines.join('\n');
  }
  add('policy', `${policy.alias}: ${policyInWords(policy)}, ${policy.origin.where}`);
  for (const origin of shadowed) add('shadowed', `the policy in ${origin.where}`);
  if (resolution !== undefined) addResolution(resolution, add);
  return lines.join('\n');
}

function addResolution(resolution: Resolution, add: (label: string, text: string) => void): void {
  add('why', resolution.why);
  const { explanation } = resolution;
  if (explanation === undefined) return;
  const { steps, considered, candidates, rejected, rejectedTotal } = explanation;
  for (const [index, step] of steps.entries()) add(index === 0 ? 'how' : '', step);
  const shown = candidates.slice(0, SHOWN_CANDIDATES);
  const more = candidates.length > shown.length ? ' …' : '';
  add('tags', `${considered} considered; best first: ${shown.join(' ') || 'none'}${more}`);
  for (const [index, { tag, rule }] of rejected.slice(0, SHOWN_REJECTIONS).entries()) {
    add(index === 0 ? 'rejected' : '', `${tag}: ${rule}`);
  }
  const unshown = rejectedTotal - Math.min(rejected.length, SHOWN_REJECTIONS);
  if (unshown > 0) add('', `and ${unshown} more`);
}

/** Colours only where a person looks: `styleText` asks the stream, and NO_COLOR. */
function styled(format: 'bold' | 'dim' | 'green', text: string): string {
  return styleText(format, text, { stream: process.stdout });
}
