import type { Notice } from '../error/user-error.ts';
import { parsePlatform } from '../image/platform.ts';
import { parseDigest, parseTag, type Repository } from '../image/reference.ts';
import { parseDuration } from '../text/duration.ts';
import { credentialId, parseCredentialName } from '../operator/credential-name.ts';
import { filtersFrom } from './filters.ts';
import type { Choice, ImageMatch, ImagePolicy, Origin } from './image-policy.ts';
import type { Platform } from '../image/platform.ts';
import { oneOf } from './one-of.ts';
import type { SettingName } from './settings.ts';
import { chooseStrategy } from './strategy-choice.ts';
import { writeSpecFrom } from './write-spec.ts';
import { taken, type Written, type WrittenSettings, wrongValue } from './written.ts';

const DEFAULT_PLATFORM: Platform = { os: 'linux', architecture: 'amd64' };

/** A policy as one of the places gives it: who it is about is parsed, its settings are not. */
export interface PolicyDraft {
  readonly alias: string;
  readonly repository: Repository;
  readonly writtenRepository: string;
  readonly match: readonly ImageMatch[];
  readonly settings: WrittenSettings;
  readonly origin: Origin;
}

/**
 * Parses and checks every setting of a policy. The same for all places.
 *
 * @throws {UserError} with the code of what is wrong, the place where it is written and how to mend it.
 */
export function buildPolicy(draft: PolicyDraft): { readonly policy: ImagePolicy; readonly notices: readonly Notice[] } {
  const { settings, origin } = draft;
  const { filters, filterPlaces, pausedBy } = filtersFrom(settings);
  const { strategy, selector, notices } = chooseStrategy({
    strategy: first(settings, 'update-strategy'),
    constraint: first(settings, 'constraint'),
    filters,
    where: origin.where,
  });
  const platforms = platformsFrom(settings);
  const pin = first(settings, 'pin');
  const choice = chosen({ pin, paused: pausedBy !== undefined, strategy, filters, platforms });
  const credential = credentialFrom(settings);
  const interval = first(settings, 'poll-interval');
  const policy: ImagePolicy = {
    alias: draft.alias,
    repository: draft.repository,
    writtenRepository: draft.writtenRepository,
    match: draft.match,
    ...(selector !== undefined && { tagSelector: selector }),
    choice,
    write: writeSpecFrom(settings),
    optional: oneOf(settings, 'optional', ['true', 'false']) === 'true',
    onUnsatisfied: oneOf(settings, 'on-unsatisfied', ['git', 'error']) ?? 'git',
    onRemoved: oneOf(settings, 'on-removed', ['keep', 'next-best']) ?? 'keep',
    ...(interval !== undefined && {
      pollIntervalMs: taken('poll-interval', interval, parseDuration(interval.text.trim())),
    }),
    ...(credential !== undefined && { credential }),
    origin,
    filterPlaces: choice.kind === 'select' ? filterPlaces : [],
  };
  return { policy, notices };
}

function first(settings: WrittenSettings, name: SettingName): Written | undefined {
  return settings.get(name)?.[0];
}

/** A pin is for incidents: it wins over everything that would keep the image as in Git. */
function chosen({
  pin,
  paused,
  strategy,
  filters,
  platforms,
}: {
  readonly pin: Written | undefined;
  readonly paused: boolean;
  readonly strategy: ReturnType<typeof chooseStrategy>['strategy'];
  readonly filters: ReturnType<typeof filtersFrom>['filters'];
  readonly platforms: readonly Platform[];
}): Choice {
  if (pin !== undefined) return pinned(pin);
  if (strategy === 'none') return { kind: 'none' };
  if (paused) return { kind: 'paused' };
  return { kind: 'select', selection: { strategy, filters, platforms } };
}

function pinned(written: Written): Choice {
  const text = written.text.trim();
  if (!text.includes(':')) return { kind: 'pin', tag: taken('pin', written, parseTag(text)) };
  return { kind: 'pin', digest: taken('pin', written, parseDigest(text)) };
}

function platformsFrom(settings: WrittenSettings): readonly Platform[] {
  const written = settings.get('platforms') ?? [];
  const platforms = written.map((one) => taken('platforms', one, parsePlatform(one.text), 'PLATFORM_INVALID'));
  return platforms.length === 0 ? [DEFAULT_PLATFORM] : platforms;
}

function credentialFrom(settings: WrittenSettings): string | undefined {
  const written = first(settings, 'pull-secret');
  if (written === undefined) return undefined;
  const source = taken('pull-secret', written, parseCredentialName(written.text.trim()));
  if (source.kind === 'pullsecret' || source.kind === 'secret') return credentialId(source);
  throw wrongValue('pull-secret', written, `cannot be used: ${source.kind}: is for the operator's configuration`, {
    fix: 'name a secret that the operator grants to this project: pullsecret:<namespace>/<name>',
  });
}
