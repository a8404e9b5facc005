// Finds every image of a file, gives it a tag and checks the result, once, as a generation does; prints the milliseconds.
//
//   node edit-rendering.ts <file> <tag>

import { readFileSync } from 'node:fs';
import { applyEdits } from '../../src/edit/apply-edits.ts';
import { findImages } from '../../src/edit/find-fields.ts';
import { planEdits } from '../../src/edit/plan-edits.ts';
import { parseTag } from '../../src/image/reference.ts';

const [file = '', written = ''] = process.argv.slice(2);
const text = readFileSync(file, 'utf8');
const tag = parseTag(written);
if (!tag.ok) throw new Error(`${written} ${tag.problem}`);
const start = process.hrtime.bigint();
const rendering = findImages(text, { rules: [] });
const writes = new Map(rendering.findings.fields.map(({ id }) => [id, { tag: tag.value }] as const));
const edited = applyEdits(text, planEdits(rendering, writes));
const took = process.hrtime.bigint() - start;
if (writes.size === 0 || edited === text) throw new Error('nothing was edited');
process.stdout.write(String(Number(took) / 1e6));
