import { styleText } from 'node:util';
import { escapeControls } from '../error/printable.ts';
import type { ApplicationStatus, ImageStatus, SourceStatus } from '../remote/status.ts';
import { ageInWords } from '../text/age.ts';

/** What `status` prints for people: a paragraph an application. */
export function statusText(applications: readonly ApplicationStatus[], now: number): string {
  if (applications.length === 0) return 'no application renders with this plugin, as far as the controller knows\n';
  return `${applications.map((application) => paragraph(application, now)).join('\n\n')}\n`;
}

function paragraph(status: ApplicationStatus, now: number): string {
  const lines = [
    `${styled('bold', shown(status.application))}${status.project === undefined ? '' : ` (project ${shown(status.project)})`}`,
  ];
  if (status.sources.length === 0) lines.push('  not rendered by this plugin since the controller knows it');
  for (const source of status.sources) lines.push(...sourceLines(source, now));
  const { refresh } = status;
  if (refresh.kind !== 'idle') {
    const since = refresh.since === undefined ? '' : `, for ${ageInWords(now - refresh.since)}`;
    const why = refresh.why === undefined ? '' : `: ${shown(refresh.why)}`;
    lines.push(line('refresh', `${REFRESH[refresh.kind]}${since}, ${attempts(refresh.attempts)}${why}`));
  }
  for (const condition of status.conditions) lines.push(line('attention', CONDITIONS[condition] ?? shown(condition)));
  return lines.join('\n');
}

const REFRESH = { waiting: 'waits', asked: 'asked for', 'given-up': 'given up' } as const;

const CONDITIONS: Readonly<Record<string, string>> = {
  'self-heal-off': 'the image moved, and without selfHeal Argo CD does not sync it by itself',
  'last-sync-failed': 'the last sync failed at this revision, and Argo CD does not try again by itself',
  hooks: 'it has hooks, and Argo CD syncs a moved image without them; sync: full would run them',
  stale: 'an image is the last known good one, because its registry cannot be asked',
  failing: 'an image cannot be resolved',
};

function attempts(count: number): string {
  return count === 1 ? '1 attempt' : `${count} attempts`;
}

function sourceLines({ path, revision, answeredAt, images }: SourceStatus, now: number): readonly string[] {
  const of = path === '' ? '' : ` of ${shown(path)}`;
  const lines = [line('rendered', `revision ${shown(revision)}${of}, ${ageInWords(now - answeredAt)} ago`)];
  if (images.length === 0) lines.push(line('', 'no image policy'));
  for (const image of images) lines.push(...imageLines(image, now));
  return lines;
}

function imageLines(image: ImageStatus, now: number): readonly string[] {
  const { given, decision, lastCompleteAt, nextLookAt, failing } = image;
  const lines = [
    line('image', `${styled('bold', shown(image.label))}  ${shown(image.repository)}  ${shown(image.policy)}`),
    line('', `has      ${givenText(given)}`),
  ];
  if (decision !== undefined) {
    const moved = `moved ${ageInWords(now - decision.movedAt)} ago`;
    lines.push(line('', `decided  ${imageText(decision)}, ${moved}`));
  }
  const looked =
    lastCompleteAt === undefined ? 'not looked at yet' : `looked at ${ageInWords(now - lastCompleteAt)} ago`;
  const next = nextLookAt === undefined ? '' : `, again in ${ageInWords(Math.max(0, nextLookAt - now))}`;
  lines.push(line('', `registry ${looked}${next}`));
  if (failing !== undefined) {
    const since = ageInWords(now - failing.since);
    lines.push(line('', styled('red', `failing  for ${since}: ${failing.code} ${shown(failing.what)}`)));
  }
  return lines;
}

function givenText(given: ImageStatus['given']): string {
  switch (given.kind) {
    case 'image':
      return imageText(given);
    case 'as-in-git':
      return 'stays as in Git';
    case 'error':
      return styled('red', `failed with ${given.code}`);
    default:
      return given satisfies never;
  }
}

function imageText({ tag, digest }: { readonly tag?: string; readonly digest?: string }): string {
  return [tag, digest].filter((part) => part !== undefined).join('@');
}

function line(label: string, text: string): string {
  return `  ${styled('dim', label.padEnd(9))} ${text}`;
}

/** It came over the network, and parts of it are what tenants wrote. */
function shown(text: string): string {
  return escapeControls(text, 'escape');
}

function styled(format: 'bold' | 'dim' | 'red', text: string): string {
  return styleText(format, text, { stream: process.stdout });
}
