// Takes a lease and holds it until it is killed.
//   node lease-holder.ts <directory> <name>
import { writeSync } from 'node:fs';
import { openStore } from '../../src/store/open-store.ts';

const [directory = '', name = ''] = process.argv.slice(2);
const store = await openStore({ directory, now: Date.now, notices: () => {} });
const lease = await store.leases.acquire(name, 60 * 60 * 1000);
writeSync(1, lease === undefined ? 'refused\n' : 'held\n');
setInterval(() => {}, 60_000);
