// One of many processes on one store: counts up a decision and records answers, printing what was committed, until it is killed.
//   node hammer.ts <directory> <id> <rounds>
import { writeSync } from 'node:fs';
import type { Tag } from '../../src/image/reference.ts';
import type { AccessScope } from '../../src/registry/access.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { DecisionKey, ListingKey } from '../../src/store/store.ts';

const [directory = '', id = '', rounds = '0'] = process.argv.slice(2);
const store = await openStore({
  directory,
  now: Date.now,
  notices: (notice) => writeSync(1, `notice ${notice.code} ${notice.what}\n`),
});
const shared = 'shared' as DecisionKey;
const listing = '["scope","repository"]' as ListingKey;
const tags = Array.from({ length: 500 }, (_, n) => `1.0.${n}` as Tag);
for (let round = 1; round <= Number(rounds); round++) {
  const own = `own ${id}` as DecisionKey;
  const before = await store.decisions.get(own);
  const put = await store.decisions.put(
    own,
    { tag: `${round}` as Tag, movedAt: round, confirmedAt: round },
    before?.version ?? null,
  );
  // Written after the commit and before anything else, so what is read here was served.
  if (put !== undefined) writeSync(1, `own ${round}\n`);
  for (;;) {
    const current = await store.decisions.get(shared);
    const next = Number(current?.value.tag ?? '0') + 1;
    const value = { tag: `${next}` as Tag, movedAt: next, confirmedAt: next };
    if ((await store.decisions.put(shared, value, current?.version ?? null)) === undefined) continue;
    writeSync(1, `shared ${next}\n`);
    break;
  }
  const decision = { tag: `${round}` as Tag, movedAt: 0, confirmedAt: 0 };
  await store.answers.record(`app-${id}`, [{ image: 'i', scope: 's' as AccessScope, key: own, decision }]);
  const lease = await store.leases.acquire('list', 1_000);
  if (lease !== undefined) {
    await store.listings.put(listing, { fetchedAt: round, tags });
    await lease.release();
  }
  store.pauses.pause('host', Date.now() + 10);
}
await store.close();
writeSync(1, 'done\n');
