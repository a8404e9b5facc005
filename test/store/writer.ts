// Reads the decision `kept`, writes many others, reads all of them again and prints what it saw.
//   node writer.ts <directory> <count>
import { writeSync } from 'node:fs';
import type { Tag } from '../../src/image/reference.ts';
import { openStore } from '../../src/store/open-store.ts';
import type { DecisionKey } from '../../src/store/store.ts';

const [directory = '', count = '0'] = process.argv.slice(2);
const say = (text: string): number => writeSync(1, `${text}\n`);
const store = await openStore({ directory, now: Date.now, notices: ({ code }) => say(`notice ${code}`) });
const kept = async (): Promise<void> => {
  say(`kept ${(await store.decisions.get('kept' as DecisionKey))?.value.tag}`);
};
await kept();
const keys = Array.from({ length: Number(count) }, (_, n) => `key ${n} ${'x'.repeat(200)}` as DecisionKey);
for (const key of keys) await store.decisions.put(key, { tag: '1' as Tag, movedAt: 1, confirmedAt: 2 }, null);
await kept();
let written = 0;
for (const key of keys) if ((await store.decisions.get(key)) !== undefined) written += 1;
say(`written ${written} of ${count}`);
await store.close();
