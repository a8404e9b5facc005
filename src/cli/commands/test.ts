import { UserError } from '../../error/user-error.ts';
import { parseReference, type ImageReference } from '../../image/reference.ts';
import type { Access } from '../../registry/access.ts';
import type { RequestEvent } from '../../registry/http.ts';
import type { Fault } from '../../registry/sources.ts';
import { tell } from '../exit.ts';
import { openBroker, openRegistry, operatorConfiguration } from '../operator.ts';

export interface TestOptions {
  readonly project?: string;
  readonly pullSecret?: string;
  readonly json?: true;
}

/** What `test` found out. */
interface Report {
  readonly image: string;
  readonly api: string;
  /** The binding, never the secret. */
  readonly credential: string;
  readonly tags: number;
  /** The last ones in the registry's order. */
  readonly lastTags: readonly string[];
  readonly tag?: string;
  readonly digest?: string;
  readonly requests: number;
  readonly milliseconds: number;
}

const SHOWN_TAGS = 10;
const TIMEOUT_MS = 30_000;

/** `test`: asks a registry as a generation of the project would, and tells how it went. */
export async function runTest(image: string, options: TestOptions): Promise<void> {
  const reference = referenceIn(image);
  const { configuration, notices } = await operatorConfiguration().current();
  tell(notices);
  const broker = await openBroker(configuration);
  const who = { application: '', ...(options.project !== undefined && { project: options.project }) };
  const answer = broker.accessFor(reference.repository, who, options.pullSecret);
  if (answer.kind === 'refused') throw UserError.fromData({ ...answer.error, where: image });
  const report = await ask(image, reference, answer.access);
  process.stdout.write(options.json ? `${JSON.stringify(report, undefined, 2)}\n` : reportText(report));
}

async function ask(image: string, reference: ImageReference, access: Access): Promise<Report> {
  const events: RequestEvent[] = [];
  const started = performance.now();
  const registry = await openRegistry({ onRequest: (event) => events.push(event) });
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  try {
    const listing = await registry.list(access, undefined, signal);
    if (listing.kind === 'failed') throw errorOf(listing.fault, image);
    const tags = listing.kind === 'complete' ? listing.tags : [];
    const tag = reference.slot.kind === 'tag' ? reference.slot.tag : undefined;
    const head = tag === undefined ? undefined : await registry.head(access, tag, signal);
    if (head?.kind === 'failed') throw errorOf(head.fault, image);
    return {
      image,
      api: access.endpoint.apiUrl,
      credential: access.credential.id,
      tags: tags.length,
      lastTags: tags.slice(-SHOWN_TAGS),
      ...(tag !== undefined && { tag }),
      ...(head !== undefined && { digest: head.digest }),
      requests: events.length,
      milliseconds: Math.round(performance.now() - started),
    };
  } finally {
    await registry.close();
  }
}

function errorOf({ error }: Fault, image: string): UserError {
  return UserError.fromData({ ...error, where: error.where === '' ? image : error.where });
}

function referenceIn(image: string): ImageReference {
  const reference = parseReference(image);
  if (reference.ok && reference.value.digest === undefined) return reference.value;
  if (reference.ok) {
    throw new UserError('USAGE', {
      what: 'a digest is not looked up',
      where: 'argument image',
      fix: 'leave it out, or give a tag',
    });
  }
  throw new UserError('USAGE', {
    what: `${JSON.stringify(image.slice(0, 300))} ${reference.problem}`,
    where: 'argument image',
    fix: reference.fix ?? 'write host/path, with or without :tag',
  });
}

function reportText(report: Report): string {
  const lines = [
    ['registry', report.api],
    ['credential', report.credential],
    ['tags', `${report.tags}${report.tags === 0 ? '' : `, the last in its order: ${report.lastTags.join(' ')}`}`],
    ...(report.tag === undefined ? [] : [[report.tag, report.digest ?? '']]),
    ['asked', `${report.requests} requests in ${report.milliseconds} ms`],
  ];
  return `${lines.map(([label = '', text]) => `${label.padEnd(10)} ${text}`).join('\n')}\n`;
}
