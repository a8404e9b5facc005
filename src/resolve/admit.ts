import type { Notice, UserErrorData } from '../error/user-error.ts';
import type { Tag } from '../image/reference.ts';
import type { Mode, OperatorConfiguration } from '../operator/operator-configuration.ts';
import { modeFor } from '../operator/mode.ts';
import type { Choice } from '../policy/image-policy.ts';
import type { Selection } from '../strategy/selection.ts';
import type { Access, AccessAnswer, AccessBroker } from '../registry/access.ts';
import { decisionKey, listingKey } from './keys.ts';
import type { DecisionKey, ListingKey } from '../store/store.ts';
import type { Ask } from './resolver.ts';
import type { CallerClaim } from '../registry/access.ts';

/** What becomes of an ask before anything is looked up. */
export type Admission =
  /** pin, none, paused: no registry and no rights needed. */
  | { readonly kind: 'settled'; readonly ask: Ask; readonly choice: Exclude<Choice, { kind: 'select' }> }
  | { readonly kind: 'refused'; readonly mode: Mode; readonly error: UserErrorData }
  | { readonly kind: 'admitted'; readonly admitted: Admitted };

/** An ask with the operator's word on it. */
export interface Admitted {
  readonly ask: Ask;
  readonly mode: Mode;
  readonly access: Access;
  readonly selection: Selection;
  /** What the caller says; for fairness only. */
  readonly project?: string;
  /** The tag a digest strategy follows. */
  readonly followed?: Tag;
  readonly key: DecisionKey;
  readonly listing: ListingKey;
  readonly wantsDigest: boolean;
  readonly intervalMs: number;
  readonly notices: readonly Notice[];
}

/** What asks that come again were admitted to last, with all that it was made of besides. */
const admissions = new WeakMap<Ask, { readonly by: Circumstances; readonly admission: Admission }>();

interface Circumstances {
  readonly configuration: OperatorConfiguration;
  readonly mode: Mode;
  readonly answer: AccessAnswer;
  readonly project: string | undefined;
}

/** Puts the operator's configuration over what a tenant asks. */
export function admit(
  ask: Ask,
  who: CallerClaim,
  { configuration, broker }: { readonly configuration: OperatorConfiguration; readonly broker: AccessBroker },
): Admission {
  const { choice, repository } = ask;
  if (choice.kind !== 'select') return { kind: 'settled', ask, choice };
  const { project } = who;
  const mode = modeFor(configuration, { ...who, repository });
  const answer = broker.accessFor(repository, who, ask.credential);
  if (answer.kind === 'refused') return { kind: 'refused', mode, error: placed(answer.error, ask) };

  const before = admissions.get(ask);
  const isSame =
    before?.by.answer === answer &&
    before.by.mode === mode &&
    before.by.project === project &&
    before.by.configuration === configuration;
  if (isSame) return before.admission;
  const by = { configuration, mode, answer, project };
  const admission = admitted(ask, choice, by);
  admissions.set(ask, { by, admission });
  return admission;
}

function admitted(
  ask: Ask,
  choice: Extract<Choice, { kind: 'select' }>,
  {
    configuration,
    mode,
    answer,
    project,
  }: Circumstances & { readonly answer: Extract<AccessAnswer, { kind: 'granted' }> },
): Admission {
  const selection = withFollowedTag(choice.selection, ask.tagInGit);
  if (selection === undefined) return { kind: 'refused', mode, error: nothingToFollow(ask) };
  const { strategy } = selection;
  const { access } = answer;
  const { key, listing } = keysOf(ask, access, selection);
  const interval = intervalFor(ask, access, configuration);
  const notices = [
    ...(answer.noticeWishReplaced === true ? [wishReplaced(ask)] : []),
    ...(interval.raised ? [intervalRaised(ask, interval.ms)] : []),
  ];
  return {
    kind: 'admitted',
    admitted: {
      ask,
      mode,
      access,
      selection,
      ...(project === undefined ? {} : { project }),
      ...(strategy.kind === 'digest' && strategy.tag !== undefined ? { followed: strategy.tag } : {}),
      key,
      listing,
      wantsDigest: needsDigest(ask, selection),
      intervalMs: interval.ms,
      notices,
    },
  };
}

type Keys = Pick<Admitted, 'key' | 'listing'>;

/** The keys of asks that come again, with the access that they are for. */
const keys = new WeakMap<Ask, Keys & { readonly scope: string; readonly repository: string }>();

/** @param selection of this ask. */
function keysOf(ask: Ask, access: Access, selection: Selection): Keys {
  const { scope, repository } = access;
  const before = keys.get(ask);
  if (before?.scope === scope && before.repository === repository.name) return before;
  const made = { key: decisionKey(access, selection, ask.onRemoved), listing: listingKey(access) };
  keys.set(ask, { ...made, scope, repository: repository.name });
  return made;
}

/** An error at the place where the policy was written, unless it lies in a file of the operator's. */
export function placed(error: UserErrorData, ask: Ask): UserErrorData {
  if (error.code === 'DOCKER_CONFIG_INVALID') return error;
  return { ...error, where: `${ask.where} (${ask.label})` };
}

/** Whether what will be written holds a digest. */
function needsDigest(ask: Ask, selection: Selection): boolean {
  if (ask.output !== undefined) return ask.output !== 'tag';
  const { kind } = selection.strategy;
  return kind === 'digest' || kind === 'newest-build';
}

function withFollowedTag(selection: Selection, tagInGit: Tag | undefined): Selection | undefined {
  if (selection.strategy.kind !== 'digest' || selection.strategy.tag !== undefined) return selection;
  return tagInGit === undefined ? undefined : { ...selection, strategy: { kind: 'digest', tag: tagInGit } };
}

/** A tenant may ask for a shorter interval than the operator's for the registry or for all, down to the operator's floor. */
function intervalFor(
  ask: Ask,
  { endpoint }: Access,
  { intervalMs, minimumIntervalMs }: OperatorConfiguration,
): { readonly ms: number; readonly raised: boolean } {
  const wish = ask.pollIntervalMs;
  const floor = Math.min(minimumIntervalMs, intervalMs);
  if (wish === undefined) return { ms: Math.max(endpoint.intervalMs ?? intervalMs, floor), raised: false };
  return wish < floor ? { ms: floor, raised: true } : { ms: wish, raised: false };
}

function intervalRaised(ask: Ask, ms: number): Notice {
  return {
    code: 'INTERVAL_RAISED',
    what: `the poll interval of ${ask.label} is shorter than the operator allows; ${ms / 1000}s is used`,
    where: ask.where,
  };
}

function wishReplaced(ask: Ask): Notice {
  return {
    code: 'CREDENTIAL_NOT_GRANTED',
    what: `the credential ${ask.label} names is not granted to this project; the operator's own for ${ask.repository.host} is used`,
    where: ask.where,
  };
}

function nothingToFollow(ask: Ask): UserErrorData {
  const image = ask.untagged === undefined ? 'the image in Git' : `the image in Git (${ask.untagged})`;
  return placed(
    {
      code: 'CONSTRAINT_MISSING',
      what: `strategy digest has no tag to follow: neither the policy nor ${image} names one`,
      where: ask.where,
      fix: 'name the tag in the policy, for example registry.example.com/app:production',
    },
    ask,
  );
}
