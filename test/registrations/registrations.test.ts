import { expect, test } from 'vitest';
import type { Tag } from '../../src/image/reference.ts';
import type { Given, RegisteringQuery } from '../../src/registrations/registration.ts';
import type { GenerationClaim } from '../../src/resolve/resolver.ts';
import { API, ask, inShort, repository, semver } from '../resolve/harness.ts';
import { freshWorld, type FreshWorld } from '../freshness/world.ts';
import { SOURCE } from './known-applications.ts';

const MINUTE = 60_000;
const WEB = 'registry.example.com/acme/web';
const api = ask(semver('~1.0'));
const web = ask(semver('~1.0'), { repository: repository(WEB), image: `${WEB}|web`, label: 'web' });
const other = { repoURL: 'https://example.com/other', path: 'chart', targetRevision: 'v2' };

async function shop(): Promise<FreshWorld> {
  const here = await freshWorld();
  here.registry.pushAll(API, ['1.0.0']);
  here.registry.pushAll(WEB, ['1.0.0']);
  here.applications.set('shop');
  return here;
}

const labels = (here: FreshWorld, application = 'shop'): readonly (readonly string[])[] =>
  here.registrations.of(application).map(({ answers }) => answers.map((one) => one.ask.label));

test('queries of one generation add up, a new generation replaces, and two at the same time do not mix', async () => {
  await using here = await shop();
  await here.generate('shop', [api], { generation: { id: 'a' } });
  await here.generate('shop', [web], { generation: { id: 'a' } });
  expect(labels(here)).toEqual([['api', 'web']]);
  await here.generate('shop', [api], { generation: { id: 'b' } });
  expect(labels(here)).toEqual([['api']]);
  await here.generate('shop', [api], { generation: { id: 'c' } });
  await here.generate('shop', [web], { generation: { id: 'b' } });
  expect(labels(here)).toEqual([['api', 'web']]);
  await here.generate('shop', [web], { generation: { id: 'c' } });
  expect(labels(here)).toEqual([['api', 'web']]);
});

test('going from A to B and back keeps what was rendered before, and survives a restart', async () => {
  await using here = await shop();
  for (const revision of ['A', 'B', 'A']) await here.generate('shop', [api], { generation: { revision } });
  const before = here.registrations.of('shop');
  expect(before).toMatchObject([{ revision: 'A', earlierRevisions: ['B'] }]);
  await here.restart();
  expect(here.registrations.of('shop')).toEqual(before);
  expect(here.registrations.count).toBe(1);
  for (let n = 0; n < 80; n++) await here.generate('shop', [api], { generation: { revision: `r${n}` } });
  expect(here.registrations.of('shop')[0]?.earlierRevisions).toHaveLength(50);
});

test('an application of several sources is the union of them; each ends with its source', async () => {
  await using here = await shop();
  const sources = [
    { ...SOURCE, plugin: 'image-resolver' },
    { ...other, plugin: 'image-resolver-v2' },
  ];
  here.applications.set('shop', { sources });
  await here.generate('shop', [api]);
  await here.generate('shop', [web], { generation: { source: other, revision: 'v2.0.1' } });
  expect(labels(here)).toEqual([['api'], ['web']]);
  expect([...here.registrations.all()]).toHaveLength(2);
  here.applications.set('shop', { sources: sources.slice(0, 1) });
  expect(labels(here)).toEqual([['api']]);
  await here.restart();
  expect(labels(here)).toEqual([['api']]);
});

test('sources that only their parameters tell apart are registered apart, and no more of them than there are', async () => {
  await using here = await shop();
  const source = { ...SOURCE, plugin: 'image-resolver' };
  here.applications.set('shop', { sources: [source, source] });
  await here.generate('shop', [api], { generation: { parametersFingerprint: 'p1' } });
  await here.clock.advance(1);
  await here.generate('shop', [web], { generation: { parametersFingerprint: 'p2' } });
  expect(labels(here)).toEqual([['api'], ['web']]);
  await here.clock.advance(1);
  await here.generate('shop', [api], { generation: { parametersFingerprint: 'p3' } });
  expect(here.registrations.of('shop').map((one) => one.parametersFingerprint)).toEqual(['p2', 'p3']);
});

const told = (id: string, rest: Partial<GenerationClaim> = {}): RegisteringQuery => ({
  v: 1,
  who: { application: 'shop' },
  generation: { id, source: SOURCE, revision: 'r1', parametersFingerprint: 'p', ...rest },
  budgetMs: 0,
  asks: [api],
});
const image = (tag: string): Given => ({ kind: 'image', tag: tag as Tag });

test('what was given without us is compared with what is decided', async () => {
  await using here = await shop();
  here.registry.push(API, '1.0.1');
  await here.generate('shop', [api]);
  await here.clock.advance(MINUTE);
  await here.registrations.recordUnheard(told('of another sidecar'), [image('1.0.0')], 1000);
  expect(await here.comparison.outdated('shop')).toMatchObject({ images: [{ from: '1.0.0', to: '1.0.1' }] });
  await here.restart();
  expect(await here.comparison.outdated('shop')).toMatchObject({ images: [{ from: '1.0.0', to: '1.0.1' }] });
  await here.registrations.recordUnheard(told('once more'), [image('1.0.1')], 0);
  expect(await here.comparison.outdated('shop')).toBeUndefined();
});

test('what was given without us stands for its own generation, and not for a later one', async () => {
  await using here = await shop();
  const given = (): readonly unknown[] =>
    here.registrations.of('shop').flatMap(({ answers }) => answers.map((one) => one.given));
  await here.generate('shop', [api], { generation: { id: 'one' } });
  await here.clock.advance(MINUTE);
  await here.registrations.recordUnheard(told('one'), [image('0.9.9')], 30_000);
  expect(given()).toEqual([image('0.9.9')]);
  await here.generate('shop', [api], { generation: { id: 'one' } });
  expect(given()).toEqual([image('0.9.9')]);
  await here.generate('shop', [api], { generation: { id: 'two' } });
  await here.registrations.recordUnheard(told('before two'), [image('0.9.9')], 30_000);
  expect(given()).toEqual([image('1.0.0')]);
  // Which of two at the same time was the last is not known.
  await here.registrations.recordUnheard(told('beside two'), [image('0.9.9')], 1_000);
  expect(given()).toEqual([image('0.9.9')]);
});

test('what was given without us is no proof that the spec of now was rendered', async () => {
  await using here = await shop();
  await here.generate('shop', [api]);
  here.applications.set('shop', { specFingerprint: 'spec 2' });
  await here.clock.advance(1);
  await here.registrations.recordUnheard(told('late', { revision: 'r2' }), [image('1.0.0')], 1);
  expect(here.registrations.of('shop')).toMatchObject([{ specFingerprint: 'spec 1', revision: 'r2' }]);
});

test('one changed parameter is no second source', async () => {
  await using here = await shop();
  await here.generate('shop', [api], { generation: { parametersFingerprint: 'p1' } });
  await here.generate('shop', [web], { generation: { parametersFingerprint: 'p2' } });
  expect(labels(here)).toEqual([['web']]);
});

test('a registration ends with the Application or its plugin, and never by age', async () => {
  await using here = await shop();
  await here.generate('shop', [api]);
  here.applications.set('git-names-it', { sources: [SOURCE] });
  await here.generate('git-names-it', [api]);
  await here.clock.advance(90 * 24 * 60 * MINUTE);
  here.applications.set('shop', { reconciledAt: 'now' });
  here.applications.set('git-names-it', { reconciledAt: 'now' });
  expect(here.registrations.count).toBe(2);
  here.applications.set('shop', { sources: [{ ...SOURCE, plugin: 'image-resolver-v2' }] });
  expect(here.registrations.count).toBe(2);
  here.applications.set('shop', { sources: [SOURCE] });
  expect(labels(here)).toEqual([]);
  here.applications.remove('git-names-it');
  expect(here.registrations.count).toBe(0);
});

test('what nobody knows is registered only until everybody is known', async () => {
  await using here = await shop();
  here.applications.complete = false;
  await here.generate('ghost', [api]);
  await here.generate('shop', [api]);
  expect(here.registrations.count).toBe(2);
  await here.registrations.verify();
  expect(here.registrations.count).toBe(2);
  here.applications.complete = true;
  await here.registrations.verify();
  await here.generate('ghost', [api]);
  expect([labels(here, 'ghost'), labels(here)]).toEqual([[], [['api']]]);
  await here.restart();
  expect([...here.registrations.all()].map(({ application }) => application)).toEqual(['shop']);
});

test('a generation that is ahead of what we see of its Application is not forgotten', async () => {
  await using here = await shop();
  await here.generate('shop', [web], { generation: { source: other } });
  here.applications.set('shop', { reconciledAt: 'of the source before' });
  expect(labels(here)).toEqual([['web']]);
  here.applications.set('shop', { sources: [{ ...other, plugin: 'image-resolver' }] });
  await here.clock.advance(MINUTE);
  here.applications.set('shop', { reconciledAt: 'later' });
  expect(labels(here)).toEqual([['web']]);
  // A claim about a source that never was one ends.
  await here.generate('shop', [api], { generation: { source: SOURCE } });
  await here.clock.advance(MINUTE);
  here.applications.set('shop', { reconciledAt: 'later still' });
  expect(labels(here)).toEqual([['web']]);
});

test('what did not change is written at most every ten minutes, and its time is exact in memory', async () => {
  await using here = await shop();
  const written = async (): Promise<number | undefined> => {
    const read = (value: unknown): number => (value as { answeredAt: number }).answeredAt;
    return [...(await here.store.documents('registrations', read).all()).values()][0];
  };
  await here.generate('shop', [api]);
  const first = here.clock.now();
  await here.clock.advance(9 * MINUTE);
  await here.generate('shop', [api]);
  expect([await written(), here.registrations.of('shop')[0]?.answeredAt]).toEqual([first, here.clock.now()]);
  await here.clock.advance(2 * MINUTE);
  await here.generate('shop', [api]);
  expect(await written()).toBe(here.clock.now());
  await here.clock.advance(MINUTE);
  await here.generate('shop', [api], { generation: { revision: 'r2' } });
  expect(await written()).toBe(here.clock.now());
});

test('what was answered alike is one list, and another as soon as an ask, its place or what it was given is another', async () => {
  await using here = await shop();
  const given = async (asks: readonly (typeof api)[]): Promise<unknown> => {
    await here.generate('shop', asks);
    return here.registrations.of('shop')[0]?.answers;
  };
  const first = await given([api, web]);
  expect(await given([structuredClone(api), web])).toBe(first);
  expect(await given([web, api])).toMatchObject([{ ask: { label: 'web' } }, { ask: { label: 'api' } }]);
  expect(await given([web])).toHaveLength(1);
  expect(await given([api, web])).toEqual(first);
  here.registry.push(API, '1.0.1');
  here.start();
  await here.clock.advance(11 * MINUTE);
  expect(await given([api, web])).toMatchObject([{ given: { tag: '1.0.1' } }, { given: { tag: '1.0.0' } }]);
});

test('equal asks of many applications are one object, after a restart too', async () => {
  await using here = await shop();
  here.applications.set('twin');
  const copy = (): typeof api => structuredClone(api);
  const same = (): boolean =>
    here.registrations.of('shop')[0]?.answers[0]?.ask === here.registrations.of('twin')[0]?.answers[0]?.ask;
  await here.generate('shop', [copy()]);
  await here.generate('twin', [copy()]);
  expect(same()).toBe(true);
  await here.restart();
  expect(same()).toBe(true);
});

test('a registration of another shape is forgotten, and the others are not', async () => {
  await using here = await shop();
  await here.generate('shop', [api]);
  const anything = here.store.documents<unknown>('registrations', (value) => value);
  await anything.put('old', { application: 'old', images: [] });
  await here.restart();
  expect(here.registrations.count).toBe(1);
  await here.restart();
  expect([...(await here.store.documents<unknown>('registrations', (value) => value).all()).keys()]).toHaveLength(1);
  expect((await here.generate('shop', [api])).map(inShort)).toEqual(['1.0.0']);
});
